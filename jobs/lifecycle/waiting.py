"""Transitions of jobs that wait: into the queue, to a worker, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from jobs.lifecycle.batches import Batches, due
from jobs.lifecycle.following import follow
from jobs.lifecycle.statement import NAMED, Move, json, locked, move, moving, run
from jobs.message import FencedJob


def _over(column: str, condition: str) -> str:
    """SQL for the jobs whose time in `column` is over, the longest first.

    By `statement_timestamp()`: `clock_timestamp()` may differ from row to row, so PostgreSQL uses
    no index for it and would read the whole table, twenty times a second.
    """
    return due(f"{condition} AND job.{column} <= statement_timestamp()", order=column)


_READY = """status = 'queued', visible_at = NULL, queued_at = clock_timestamp(),
            fence = job.fence + 1"""
_TO_PROMOTE = _over("visible_at", "job.status = 'scheduled'")
_PROMOTE = moving(
    "promote",
    sets=_READY,
    where="job.id = ANY(%(ids)s)",
)
_promotions = Batches("promote")
_PROMOTE_NOW = moving(
    "promote",
    sets=_READY,
    where="job.id = %(id)s",
)


def promote(limit: int) -> list[Move]:
    """Scheduled jobs whose time has come become ready, at most `limit` of them."""

    def act(ids: list[UUID]) -> list[Move]:
        moves = move(_PROMOTE, ids=ids)
        follow(moves, "promote")
        return moves

    with transaction.atomic():
        return _promotions.move_due(_TO_PROMOTE, limit, act)


def promote_now(job_id: UUID) -> bool:
    """An operator runs a scheduled job at once."""
    with transaction.atomic():
        moves = move(_PROMOTE_NOW, id=job_id)
        follow(moves, "promote")
    return bool(moves)


_TO_EXPIRE = _over("expires_at", "job.status IN ('blocked', 'queued', 'scheduled')")
_EXPIRE = moving(
    "expire",
    sets="""status = 'cancelled', cancelled_at = clock_timestamp(), cancelled_by = 'expiry',
            dispatched_at = NULL, visible_at = NULL, fence = job.fence + 1""",
    where="job.id = ANY(%(ids)s)",
)
_expiries = Batches("expire")


def expire(limit: int) -> list[Move]:
    """Jobs that nobody started in time end as cancelled, at most `limit` of them."""

    def act(ids: list[UUID]) -> list[Move]:
        moves = move(_EXPIRE, ids=ids)
        follow(moves, "expire")
        return moves

    with transaction.atomic():
        return _expiries.move_due(_TO_EXPIRE, limit, act)


class Dispatched(NamedTuple):
    """A job that was marked for sending: everything its message needs."""

    id: UUID
    fence: int
    type: str
    queue: str
    priority: int  # with which it is sent
    timeout_seconds: int
    dispatched_at: datetime


# One moment for all of them: within a batch the order of publishing is not that of this UPDATE,
# and the watch for lost messages takes a message sent earlier for one that waits in front.
_DISPATCH = moving(
    "dispatch",
    sets="""dispatched_at = statement_timestamp(), fence = job.fence + 1,
            sent_priority = COALESCE((%(priorities)s::jsonb ->> job.id::text)::int, job.priority)
    """,
    where=locked("job.id = ANY(%(ids)s) AND job.dispatched_at IS NULL", skip=True)
    + " AND job.dispatched_at IS NULL",
    returning="job.id, job.fence, job.type, job.queue, job.sent_priority, job.timeout_seconds, "
    "job.dispatched_at",
)


def dispatch(ids: Sequence[UUID], priorities: Mapping[UUID, int] | None = None) -> list[Dispatched]:
    """Mark ready jobs as on their way. A job that is no longer ready, or that somebody holds
    locked at this moment, is left out.

    `priorities` of jobs that have aged: with them they are sent, without one with their own.
    """
    aged = json({str(job_id): priority for job_id, priority in (priorities or {}).items()})
    return [Dispatched(*row) for row in run(_DISPATCH, ids=list(ids), priorities=aged)]


_WITHDRAW = moving(
    "withdraw",
    sets="dispatched_at = NULL, fence = job.fence + 1",
    where=f"{NAMED} AND job.dispatched_at IS NOT NULL AND "
    + locked("job.id = ANY(%(ids)s)", skip=True),
)


_withdrawals = Batches("withdraw")


def withdraw(sent: Sequence[FencedJob]) -> list[Move]:
    """Take messages back: whoever receives one of them claims nothing with it."""
    fences = {job.id: job.fence for job in sent}  # of two messages of one job the later counts

    def act(ids: list[UUID]) -> list[Move]:
        moves = move(_WITHDRAW, ids=ids, fences=[fences[job_id] for job_id in ids])
        follow(moves, "withdraw")
        return moves

    with transaction.atomic():
        return _withdrawals.move(fences, act)
