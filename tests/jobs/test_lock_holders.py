"""Somebody who holds a row and does not let go keeps back what needs it, and nothing else."""

from __future__ import annotations

import pytest

from accounts.models import Tenant
from jobs import lifecycle
from jobs.lifecycle import ending
from jobs.lifecycle.batches import Batches
from jobs.models import Batch, Job, Workflow
from jobs.retention.removal import remove
from jobs.retention.rules import present_rules
from jobs.states import Status
from tests.jobs import making
from tests.jobs.aged import completed
from tests.jobs.making import fresh
from tests.jobs.racing import meanwhile
from tests.jobs.test_batch_jobs import batch_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_batch_that_somebody_holds_keeps_back_the_rescue_of_no_other_job(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    still = Batches("rescue", lambda: 0.0)  # however long it takes, it tells all of them apart
    monkeypatch.setattr(ending, "_rescues", still)
    batch, (stuck,) = batch_of(tenant, 1)
    others = [making.queued(tenant) for _ in range(4)]
    for job in (stuck, *others):
        making.start(job)
        making.let_pass(job, "lease_expires_at")

    with meanwhile(lambda: list(Batch.objects.select_for_update().filter(pk=batch.pk))):
        lifecycle.rescue(limit=10, crash_limit=1, error=making.ERROR)
        assert {fresh(job).status for job in others} == {Status.FAILED}
        assert fresh(stuck).status == Status.PROCESSING


def test_a_workflow_stays_whole_while_one_of_its_jobs_is_locked(tenant: Tenant) -> None:
    workflow = Workflow.objects.create(tenant=tenant)
    jobs = [completed(tenant, days=400) for _ in range(3)]
    ids = [job.pk for job in jobs]
    Job.objects.filter(pk__in=ids).update(workflow=workflow)

    with meanwhile(lambda: list(Job.objects.select_for_update().filter(pk=ids[1]))):
        assert remove(ids, present_rules()) == 0
    assert remove(ids[:1], present_rules()) == 3
