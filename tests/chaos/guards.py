"""The guards that everything else rests on, each as one deterministic check against PostgreSQL.

Plain functions, so that they can be run with the guard in place (they must hold) and with it
taken out (they must fail): `test_guards.py` does both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from accounts.models import Tenant
from jobs import lifecycle
from jobs.dispatcher.leader import Leader
from jobs.enqueue import enqueue
from jobs.exceptions import AttemptLost
from jobs.lifecycle import ClaimedJob
from jobs.message import FencedJob
from jobs.models import Job
from jobs.states import Status

ERROR = {"type": "test", "message": "", "details": {}}


def an_old_attempt_keeps_nothing() -> None:
    """Its lease ran out, another attempt runs: whatever it writes is refused."""
    old = claimed(lease_seconds=0)
    lifecycle.rescue(limit=1, crash_limit=5, error=ERROR)
    new = claimed(old.id)
    for write in _outcomes(old.held):
        with pytest.raises(AttemptLost):
            write()
    job = Job.objects.get(pk=old.id)
    assert (job.status, job.fence, job.result) == (Status.PROCESSING, new.fence, None)


def _outcomes(held: FencedJob) -> list[Callable[[], object]]:
    return [
        lambda: lifecycle.complete(held, result="old"),
        lambda: lifecycle.fail(held, error=ERROR),
        lambda: lifecycle.retry_later(held, delay_seconds=0, error=ERROR),
        lambda: lifecycle.snooze(held, delay_seconds=0),
        lambda: lifecycle.release(held, error=ERROR),
        lambda: lifecycle.confirm_cancel(held, by="old"),
        lambda: lifecycle.lose(held, crash_limit=5, error=ERROR),
    ]


def an_old_attempt_shows_no_progress() -> None:
    old = claimed(lease_seconds=0)
    lifecycle.rescue(limit=1, crash_limit=5, error=ERROR)
    claimed(old.id)
    with pytest.raises(AttemptLost):
        lifecycle.progress(old.held, percent=99, message="old")


def a_stale_message_starts_nothing() -> None:
    job = _queued()
    (stale,) = lifecycle.dispatch([job.pk])
    lifecycle.withdraw([FencedJob(stale.id, stale.fence)])
    lifecycle.dispatch([job.pk])
    assert _claim(FencedJob(stale.id, stale.fence)) is None


def a_withdrawn_message_starts_nothing() -> None:
    job = _queued()
    (sent,) = lifecycle.dispatch([job.pk])
    lifecycle.withdraw([FencedJob(sent.id, sent.fence)])
    Job.objects.filter(pk=job.pk).update(dispatched_at=sent.dispatched_at)
    assert _claim(FencedJob(sent.id, sent.fence)) is None


def a_job_that_was_not_sent_is_not_started() -> None:
    job = _queued()
    assert _claim(FencedJob(job.pk, job.fence)) is None


def a_job_taken_by_force_waits_for_its_old_lease() -> None:
    held = claimed()
    lifecycle.force_queue(held.id, error=ERROR)
    (sent,) = lifecycle.dispatch([held.id])
    assert _claim(FencedJob(sent.id, sent.fence)) is None


def a_dead_workers_job_is_taken_back() -> None:
    held = claimed(lease_seconds=0)
    moves = lifecycle.rescue(limit=10, crash_limit=5, error=ERROR)
    assert [(moved.id, moved.status) for moved in moves] == [(held.id, Status.QUEUED)]


def a_living_workers_job_is_left_alone() -> None:
    claimed()
    assert lifecycle.rescue(limit=10, crash_limit=5, error=ERROR) == []


def a_cancelled_job_keeps_no_result() -> None:
    held = claimed()
    lifecycle.cancel(held.id, by="a test")
    moved = lifecycle.complete(held.held, result="kept after all")
    assert moved.status == Status.CANCELLED
    assert Job.objects.get(pk=held.id).result is None


def a_leader_whose_term_is_over_does_nothing() -> None:
    first, second = (Leader(duty="test", holder=name, lease_seconds=0) for name in "ab")
    assert first.take()
    assert second.take()
    with transaction.atomic():
        assert not first.hold()


GUARDED: dict[str, list[Callable[[], None]]] = {
    "outcome-fence": [an_old_attempt_keeps_nothing],
    "claim-fence": [a_stale_message_starts_nothing],
    "claim-dispatched": [a_job_that_was_not_sent_is_not_started],
    "claim-lease": [a_job_taken_by_force_waits_for_its_old_lease],
    "progress-fence": [an_old_attempt_shows_no_progress],
    "rescue": [a_dead_workers_job_is_taken_back],
    "rescue-lease": [a_living_workers_job_is_left_alone],
    "cancel": [a_cancelled_job_keeps_no_result],
    "withdraw-fence": [a_withdrawn_message_starts_nothing],
    "leader-term": [a_leader_whose_term_is_over_does_nothing],
}


def _queued() -> Job:
    tenant = Tenant.objects.get(slug="default")
    return enqueue(tenant, "diagnostics.echo", {}).job


def claimed(job_id: Any = None, *, lease_seconds: float = 60) -> ClaimedJob:
    """A job that runs, new or by a further attempt."""
    (sent,) = lifecycle.dispatch([job_id or _queued().pk])
    claimed = _claim(FencedJob(sent.id, sent.fence), lease_seconds)
    assert claimed is not None
    return claimed


def _claim(sent: FencedJob, lease_seconds: float = 60) -> ClaimedJob | None:
    return lifecycle.claim(sent, worker="test", incarnation=uuid4(), lease_seconds=lease_seconds)
