"""`manage.py failures`, in this process: what it writes, does and refuses."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEntry, Tenant
from jobs import bulk, lifecycle
from jobs.models import Job
from jobs.states import Status
from tests.jobs.kinds import ECHO
from tests.jobs.making import ERROR, fresh, queued, start
from tests.jobs.test_commands import Said

pytestmark = pytest.mark.django_db


def dead(tenant: Tenant, kind: str = "OSError", message: str = "away", **options: Any) -> Job:
    job = queued(tenant, **options)
    lifecycle.fail(start(job), error={**ERROR, "type": kind, "message": message})
    return fresh(job)


def test_groups_are_listed_with_their_size_and_what_they_failed_of(tenant: Tenant) -> None:
    jobs = [dead(tenant, message=f"host {n} is away") for n in range(3)]
    said = Said("failures", "list")
    (line,) = [line for line in said.out.splitlines() if ECHO in line]
    assert jobs[0].fingerprint in line
    assert " 3 " in line
    assert "OSError: host 2 is away" in line
    assert said.status == 0


def test_as_json_they_are_what_the_api_shows(tenant: Tenant) -> None:
    job = dead(tenant)
    (group,) = Said("failures", "list", "--tenant=acme", "--json").document["items"]
    assert (group["fingerprint"], group["count"]) == (job.fingerprint, 1)
    assert group["sample"]["id"] == str(job.pk)


def test_the_list_is_narrowed_and_says_when_there_is_more(tenant: Tenant, other: Tenant) -> None:
    dead(tenant), dead(tenant, "ValueError"), dead(other)
    assert len(Said("failures", "list", "--json").document["items"]) == 3
    assert len(Said("failures", "list", "--tenant=other", "--json").document["items"]) == 1
    assert len(Said("failures", "list", f"--type={ECHO}", "--json").document["items"]) == 3
    assert Said("failures", "list", "--type=no.such").status == 2
    short = Said("failures", "list", "--limit=2")
    assert "--limit shows more" in short.err


@pytest.mark.parametrize(("verb", "word"), [("retry", "queued again"), ("discard", "discarded")])
def test_a_group_is_done_to_its_end_in_every_tenant(
    verb: str, word: str, tenant: Tenant, other: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST", 2)
    jobs = [dead(tenant) for _ in range(5)] + [dead(other)]
    kept = dead(tenant, "ValueError")
    said = Said("failures", verb, jobs[0].fingerprint[:12])
    assert f"acme: 5 {word}" in said.out
    assert f"other: 1 {word}" in said.out
    assert said.status == 0
    left = Job.objects.filter(status=Status.FAILED, discarded_at=None)
    assert list(left) == [kept]
    assert all(entry.actor.startswith("command:") for entry in AuditEntry.objects.all())


def test_with_a_tenant_only_its_jobs_are_meant(tenant: Tenant, other: Tenant) -> None:
    mine, foreign = dead(tenant), dead(other)
    Said("failures", "discard", mine.fingerprint, "--tenant=acme")
    assert fresh(mine).discarded_at is not None
    assert fresh(foreign).discarded_at is None


def test_a_dry_run_says_how_many_and_does_nothing(tenant: Tenant) -> None:
    job = dead(tenant)
    said = Said("failures", "retry", job.fingerprint, "--dry-run")
    assert "1 job to retry" in said.out
    assert fresh(job).status == Status.FAILED


def test_what_is_left_alone_is_told_with_the_reason(tenant: Tenant) -> None:
    job = dead(tenant, unique_key="nightly")
    queued(tenant, unique_key="nightly")
    said = Said("failures", "retry", job.fingerprint)
    assert "0 queued again" in said.out
    assert "1 left alone: unique_key_taken" in said.err
    assert said.status == 2


@pytest.mark.parametrize("text", ["7", "0" * 32, "00000000", "x" * 40, "%"])
def test_a_fingerprint_that_nothing_has_is_refused(text: str, tenant: Tenant) -> None:
    dead(tenant)
    said = Said("failures", "retry", text)
    assert said.status == 2
    assert said.out == ""
