"""A job that kills whatever runs it is stopped at the crash limit; the rest goes on."""

from __future__ import annotations

from typing import Any

from jobs.models import Attempt, AttemptOutcome
from jobs.states import Status
from tests.support.arena import CRASH_LIMIT, Arena

LONGER: dict[str, Any] = {"LEASE_SECONDS": "30"}  # no other attempt is lost to a busy machine


def test_a_poison_job_fails_at_the_crash_limit_and_harms_no_other(arena: Arena) -> None:
    """The child's death is seen by its parent; no lease has to run out for it."""
    arena.dispatcher(**LONGER)
    worker_pid = arena.worker(**LONGER).pid
    poison = arena.enqueue("testing.crash")
    others = [arena.enqueue("testing.work", seconds=0.2) for _ in range(10)]

    done = arena.wait_for_status(poison.pk, Status.FAILED, seconds=60)

    assert done.error is not None
    assert done.error["type"] == "worker_lost"
    assert (done.attempt, done.crash_count, done.retry_count) == (CRASH_LIMIT, CRASH_LIMIT, 0)
    for other in others:
        unharmed = arena.wait_for_status(other.pk, Status.COMPLETED, seconds=60)
        assert (unharmed.attempt, unharmed.crash_count) == (1, 0)
    outcomes = Attempt.objects.filter(job=poison).values_list("outcome", flat=True)
    assert list(outcomes) == [AttemptOutcome.LOST] * CRASH_LIMIT
    assert arena.worker_pid("worker") == worker_pid


def test_a_child_keeps_one_database_session_for_all_its_jobs(arena_at_work: Arena) -> None:
    jobs = [arena_at_work.enqueue("testing.connection") for _ in range(30)]
    seen = set()
    for job in jobs:
        done = arena_at_work.wait_for_status(job.pk, Status.COMPLETED, seconds=60)
        assert done.result is not None
        seen.add((done.result["pid"], done.result["session"]))
    assert len(seen) == len({pid for pid, _ in seen})
