"""Workers of two versions share the queues while a new one is rolled out."""

from __future__ import annotations

import time
from datetime import timedelta

from django.utils import timezone

from accounts.ids import new_id
from jobs.enqueue import JobRequest, enqueue_many
from jobs.models import Job, Worker
from jobs.states import Status
from jobs.worker.misdelivery import PAUSE_SECONDS
from tests.support.arena import SLOTS, Arena
from tests.support.waiting import wait_for

JOBS = 40
DROPPED = "dropped a message for"
GAVE_BACK = "of types that are not known here"


def test_jobs_of_a_new_type_run_although_old_workers_take_their_messages(arena: Arena) -> None:
    arena.dispatcher()
    old = arena.worker("old", CELERIAC_APPS="")
    arena.worker("new")
    enqueue_many(arena.tenant, [JobRequest(type_name="testing.work", payload={})] * JOBS)
    wait_for(
        lambda: Job.objects.filter(status=Status.COMPLETED).count() == JOBS,
        seconds=90, what="all of them ran",
    )  # fmt: skip
    assert set(Job.objects.values_list("attempt", "worker")) == {(1, "new@arena")}
    assert DROPPED in old.log_text(), "the old worker never got one"
    assert GAVE_BACK in old.log_text()


def test_what_only_the_wrong_worker_takes_is_given_back_no_faster_than_agreed(
    arena: Arena,
) -> None:
    """A worker that knows the type has reported itself, but never takes a message."""
    old = arena.worker("old", CELERIAC_APPS="")
    dropped_at_first = old.log_text().count(DROPPED)
    Worker.objects.create(
        name="new@arena", incarnation=new_id(), queues=["default"], types=["testing.work"],
        slots=SLOTS, seen_at=timezone.now() + timedelta(minutes=5),
    )  # fmt: skip
    began = time.monotonic()
    arena.dispatcher()
    job = arena.enqueue("testing.work")
    wait_for(lambda: old.log_text().count(GAVE_BACK) >= 3, seconds=60, what="it came back thrice")
    took = time.monotonic() - began

    dropped = old.log_text().count(DROPPED) - dropped_at_first
    assert dropped <= took / PAUSE_SECONDS + 2
    job.refresh_from_db()
    assert (job.status, job.attempt, job.crash_count) == (Status.QUEUED, 0, 0)
    Worker.objects.filter(name="new@arena").delete()
    arena.worker("new")
    arena.wait_for_status(job.pk, Status.COMPLETED, seconds=60)


def test_a_type_that_no_worker_knows_is_not_sent_at_all(arena: Arena) -> None:
    arena.dispatcher()
    old = arena.worker("old", CELERIAC_APPS="")
    dropped_at_first = old.log_text().count(DROPPED)  # other tests write to the same log
    job = arena.enqueue("testing.work")
    known = arena.enqueue("diagnostics.echo")

    arena.wait_for_status(known.pk, Status.COMPLETED, seconds=60)

    job.refresh_from_db()
    assert (job.status, job.fence) == (Status.QUEUED, 0)
    assert old.log_text().count(DROPPED) == dropped_at_first
