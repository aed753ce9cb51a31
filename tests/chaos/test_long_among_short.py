"""A job that is long, or of a type that nobody has measured, has its turn among any number of short
ones (G10)."""

from __future__ import annotations

from typing import Any

from accounts.models import Tenant
from jobs.dispatcher.window import HORIZON_SECONDS
from jobs.enqueue import JobOptions, JobRequest, enqueue, enqueue_many
from jobs.models import Job, Queue
from jobs.states import Status
from tests.support.arena import SLOTS, Arena
from tests.support.waiting import wait_for

FLOOD = 4000
WORK_SECONDS = 0.02
WARMED = 100  # completed before the long job comes: the dispatcher knows how short they are
WINDOW = SLOTS * (1 + HORIZON_SECONDS / WORK_SECONDS)


# Each of a type of its own, which nobody has measured.
LONG: list[tuple[str, dict[str, Any], JobOptions]] = [
    ("testing.work", {"seconds": 0}, JobOptions()),
    ("testing.deaf", {"seconds": 0}, JobOptions(priority="high")),
    ("testing.swallow", {"seconds": 0}, JobOptions(queue="reports")),
    ("testing.connection", {}, JobOptions(queue="a")),
]


def test_g10_a_long_job_has_its_turn_in_a_flood_of_short_ones(arena: Arena) -> None:
    """Before it come those on their way when it is handed in, and those of the tick under way; also
    where it waits in another queue, whose name may stand before or behind the flood's."""
    for queue in ("reports", "a"):
        Queue.objects.get_or_create(name=queue)
    short = JobRequest(type_name="testing.held", payload={"seconds": WORK_SECONDS})
    enqueue_many(arena.tenant, [short] * FLOOD)
    arena.dispatcher()
    arena.worker()
    ended = Job.objects.filter(status=Status.COMPLETED)
    wait_for(lambda: ended.count() >= WARMED, seconds=90, what="they run")

    other = Tenant.objects.get_or_create(slug="beside-the-flood")[0]
    for type_name, payload, options in LONG:
        job = enqueue(other, type_name, payload, options).job
        arena.wait_for_status(job.pk, Status.COMPLETED, seconds=120)
        job.refresh_from_db()
        others = Job.objects.exclude(pk=job.pk)
        first = others.filter(started_at__gt=job.queued_at, started_at__lt=job.started_at).count()
        assert first <= 2 * WINDOW, f"{first} of another tenant came before {type_name}"
    assert Job.objects.ready().count() > FLOOD / 4, "they were not waiting any more"
