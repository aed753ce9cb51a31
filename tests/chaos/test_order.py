"""A late urgent job is next, however many others wait."""

from __future__ import annotations

from jobs.dispatcher.runtimes import Runtimes
from jobs.dispatcher.window import HORIZON_SECONDS
from jobs.enqueue import JobOptions, JobRequest, enqueue_many
from jobs.models import Job
from jobs.states import Status
from tests.support.arena import SLOTS, Arena
from tests.support.waiting import wait_for

WAITING, ENOUGH = 3000, 2000  # handed in; in front of each round
WORK_SECONDS = 0.02  # short enough to be sent ahead: messages of lower level wait in the broker
WARMED = 40  # completed before the urgent job comes: the dispatcher knows how short they are


def test_a_late_urgent_job_waits_for_no_more_jobs_than_there_are_slots(arena: Arena) -> None:
    """Both slots are held while the urgent job travels, at a moment at which such jobs are known to
    be short: however slow this machine is, it decides nothing but how long the test takes."""
    low = JobRequest(
        type_name="testing.held",
        payload={"seconds": WORK_SECONDS},
        options=JobOptions(priority="low"),
    )
    arena.dispatcher()
    arena.worker()
    overtook = 0
    while overtook < 3:
        if (ready := Job.objects.ready().count()) < ENOUGH:
            enqueue_many(arena.tenant, [low] * (WAITING - ready))
        _wait_until_warm()
        with arena.held():
            wait_for(lambda: arena.running() == SLOTS, seconds=60, what="every slot is taken")
            if not _are_known_to_be_short():
                continue
            urgent = arena.enqueue_at(89, "testing.held", seconds=0)
            sent = Job.objects.filter(pk=urgent.pk, dispatched_at__isnull=False)
            wait_for(sent.exists, seconds=60, what="the urgent job is sent")
            before = arena.started()
        arena.wait_for_status(urgent.pk, Status.COMPLETED, seconds=60)
        urgent.refresh_from_db()
        overtaken = Job.objects.exclude(pk__in=before).filter(
            priority__lt=89, started_at__lt=urgent.started_at
        )
        assert overtaken.count() <= SLOTS
        overtook += 1
    assert Job.objects.ready().count() > 1000, "they were not waiting any more"


def _wait_until_warm() -> None:
    completed = Job.objects.filter(status=Status.COMPLETED)
    before = completed.count()
    wait_for(lambda: completed.count() >= before + WARMED, seconds=60, what="they run")


def _are_known_to_be_short() -> bool:
    """As the dispatcher reckons, with something to spare: it may have missed one."""
    ended = Job.objects.filter(status=Status.COMPLETED).order_by("completed_at")
    runtimes = Runtimes()
    for seconds in ended.values_list("actual_duration_seconds", flat=True):
        runtimes.record("testing.held", seconds or 0.0)
    return (runtimes.expected("testing.held") or 0.0) < HORIZON_SECONDS / 2
