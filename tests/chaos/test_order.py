"""A late urgent job is next, however many others wait."""

from __future__ import annotations

from jobs.enqueue import JobOptions, JobRequest, enqueue_many
from jobs.models import Job
from jobs.states import Status
from tests.support.arena import SLOTS, Arena
from tests.support.waiting import wait_for

WAITING = 3000
# Short enough to be sent ahead, but longer than a message takes to its worker on a busy machine:
# on the way of the urgent one each slot starts at most one more.
WORK_SECONDS = 0.15
WARMED = 40  # completed before the urgent job comes: the dispatcher knows how short they are


def test_a_late_urgent_job_waits_for_no_more_jobs_than_there_are_slots(arena: Arena) -> None:
    tenant = arena.tenant
    low = JobRequest(
        type_name="testing.work",
        payload={"seconds": WORK_SECONDS},
        options=JobOptions(priority="low"),
    )
    enqueue_many(tenant, [low] * WAITING)
    arena.dispatcher()
    arena.worker()
    for _ in range(3):
        _wait_until_warm()
        urgent = arena.enqueue_at(89, "testing.work")
        arena.wait_for_status(urgent.pk, Status.COMPLETED, seconds=10)
        urgent.refresh_from_db()
        ahead = Job.objects.filter(
            priority__lt=89, started_at__gt=urgent.created_at, started_at__lt=urgent.started_at
        )
        assert ahead.count() <= SLOTS
    assert Job.objects.ready().count() > 1000, "they were not waiting any more"


def _wait_until_warm() -> None:
    completed = Job.objects.filter(status=Status.COMPLETED)
    before = completed.count()
    wait_for(lambda: completed.count() >= before + WARMED, seconds=40, what="they run")
