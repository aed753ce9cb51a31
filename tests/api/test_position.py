"""A queued job's place: exact to a thousand, an estimate beyond, cheap everywhere."""

from __future__ import annotations

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Tenant
from jobs.enqueue import JobRequest, enqueue_many
from jobs.models import Job, Queue
from jobs.position import position_of
from jobs.states import Status
from tests.api import kinds
from tests.api.calling import Caller
from tests.api.conftest import MakeJob


def place(job: Job) -> tuple[int | None, bool | None]:
    position = position_of(Job.objects.get(pk=job.pk))
    return position.place, position.exact


def test_the_place_is_by_priority_and_then_age_in_queue_and_level_over_all_tenants(
    acme: Tenant, other: Tenant, make_job: MakeJob
) -> None:
    Queue.objects.get_or_create(name="side")
    first, second = make_job(acme, priority=50), make_job(other, priority=50)
    raised = make_job(other, priority=60)
    assert [place(job)[0] for job in (raised, first, second)] == [1, 2, 3]
    make_job(other, priority="urgent")
    make_job(other, priority=90)
    make_job(acme, priority="low")
    make_job(acme, queue="side", priority=69)
    make_job(acme, Status.SCHEDULED, priority=69)
    make_job(acme, Status.PROCESSING, priority=69)
    assert [place(job)[0] for job in (raised, first, second)] == [1, 2, 3]


def test_what_is_on_its_way_to_a_worker_goes_before_all_that_is_not(
    acme: Tenant, make_job: MakeJob
) -> None:
    waiting = make_job(acme, priority=60)
    sent = [make_job(acme, priority=40, row={"dispatched_at": timezone.now()}) for _ in range(2)]
    assert [place(job)[0] for job in (*sent, waiting)] == [1, 2, 3]


@pytest.mark.parametrize("status", [status for status in Status if status != Status.QUEUED])
def test_a_job_that_is_not_queued_has_no_place(
    status: Status, acme: Tenant, make_job: MakeJob, caller: Caller
) -> None:
    job = make_job(acme, status)
    assert place(job) == (None, None)
    assert caller.get(f"/jobs/{job.pk}").body["position"] is None


def test_beyond_a_thousand_the_place_is_an_estimate_and_says_so(acme: Tenant) -> None:
    request = JobRequest(type_name=kinds.report.name, payload={"report_id": 7})
    jobs = [made.job for made in enqueue_many(acme, [request] * 1500) if hasattr(made, "job")]
    assert place(jobs[0]) == (1, True)
    assert place(jobs[999]) == (1000, True)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE jobs_job")
    number, exact = place(jobs[-1])
    assert exact is False
    assert number is not None
    assert 1001 <= number <= 3000
