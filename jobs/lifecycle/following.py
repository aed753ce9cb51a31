"""What follows from a change of status, in its transaction: history, dependants, batches, the
signal; and after it, the word to the dispatcher."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from jobs.lifecycle.announcing import tell
from jobs.lifecycle.counting import Change, changes, count, set_total
from jobs.lifecycle.settling import settle_some, still_open
from jobs.lifecycle.statement import Move, bound_waits
from jobs.models import Attempt, AttemptOutcome
from jobs.states import FINAL, Status

_MOST_CHUNKS = 100  # after one commit; the dispatcher's sweep does what is left


def follow(moves: list[Move], transition: str) -> None:
    """Everything that a change of status brings with it. Call it in the change's transaction."""
    tell(moves, transition)
    ended = [moved.id for moved in moves if moved.status in FINAL and moved.has_dependants]
    _count(changes(moves, transition) + changes(_settle_all(ended), "settle"))


def _count(found: list[Change]) -> None:
    """Last of all: whoever holds a batch locks no further job."""
    tell(count(found), "create")


def close_intake(batch_id: UUID, total: int) -> None:
    """All jobs of a batch are handed in, so many; it ends here if they have all ended."""
    tell(set_total(batch_id, total), "create")


def record_attempts(
    moves: Iterable[Move], outcome: AttemptOutcome, error: Mapping[str, Any] | None
) -> None:
    """History of attempts that did not complete."""
    Attempt.objects.bulk_create(
        Attempt(
            job_id=moved.id,
            fence=moved.held_fence,
            number=moved.attempt,
            run=moved.run,
            worker=moved.worker,
            started_at=moved.started_at or moved.moved_at,
            ended_at=moved.moved_at,
            outcome=AttemptOutcome.CANCELLED if moved.status == Status.CANCELLED else outcome,
            error=error,
        )
        for moved in moves
    )


def settle_ended(ended_ids: Sequence[UUID]) -> None:
    """Move the jobs that waited for these, which have ended, and those that waited for them in
    turn. Call it in a transaction."""
    _count(changes(_settle_all(ended_ids), "settle"))


def _settle_all(ended_ids: Sequence[UUID]) -> list[Move]:
    """Those moved in this transaction. Many thousand dependants are more than one should lock: the
    others follow at once after its commit, and if this process dies then, by the dispatcher's
    sweep, which looks for open edges to ended jobs."""
    if not ended_ids:
        return []
    moves, rest = settle_some(ended_ids)
    if rest:
        transaction.on_commit(partial(_settle_rest, rest), robust=True)
    return moves


def _settle_rest(ended_ids: list[UUID]) -> None:
    """Chunk by chunk, each in a transaction of its own."""
    for _ in range(_MOST_CHUNKS):
        with transaction.atomic():
            bound_waits()
            moves, rest = settle_some(still_open(ended_ids))
            _count(changes(moves, "settle"))
        if not rest:
            return
        ended_ids = rest
