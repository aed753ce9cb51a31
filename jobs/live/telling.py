"""Entries on their way into the streams. Call these where the change is committed, or in its
transaction: then they go out after its commit, and not at all if it is undone. Of the platform's
own jobs nothing is told: nobody could watch them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connection, transaction

from jobs import registry, wire
from jobs.live.entries import (
    BATCH_COMPLETED,
    FIELD,
    LOST,
    PROGRESS,
    STARTED,
    Entry,
    entries_of,
)

if TYPE_CHECKING:
    from jobs.lifecycle.statement import Move

MOST_ENTRIES = 5_000  # about; who was away for longer than they reach gets a snapshot
KEPT_SECONDS = 3600  # after the last entry
_PROLONG_SECONDS = 60

_LOST = Entry(event=LOST, at=datetime.fromtimestamp(0, UTC)).packed()
_prolonged: dict[int, float] = {}


def stream_of(tenant_id: int) -> str:
    return f"celeriac:live:{tenant_id}"


def moved(moves: Sequence[Move], transition: str) -> None:
    """These jobs went through a transition."""
    seen = [one for one in moves if not registry.is_internal(one.type)]
    _tell(entries_of(seen, transition))


def started(tenant_id: int, job_id: UUID, job_type: str, at: datetime) -> None:
    if not registry.is_internal(job_type):
        _tell([(tenant_id, Entry(event=STARTED, at=at, jobs=[job_id]))])


def progressed(tenant_id: int, job_id: UUID, job_type: str, at: datetime) -> None:
    if not registry.is_internal(job_type):
        _tell([(tenant_id, Entry(event=PROGRESS, at=at, jobs=[job_id]))])


def batch_completed(tenant_id: int, batch_id: UUID, at: datetime) -> None:
    _tell([(tenant_id, Entry(event=BATCH_COMPLETED, at=at, batch=batch_id))])


def _tell(entries: list[tuple[int, Entry]]) -> None:
    if not entries:
        return
    if connection.in_atomic_block:
        transaction.on_commit(partial(_say, entries), robust=True)
    else:
        _say(entries)


def _say(entries: list[tuple[int, Entry]]) -> None:
    for tenant_id, entry in entries:
        key = stream_of(tenant_id)
        add = ("XADD", key, "MAXLEN", "~", MOST_ENTRIES, "*", FIELD)
        wire.say_soon((*add, entry.packed()), instead=(*add, _LOST))
        if _is_to_prolong(tenant_id):
            wire.say_soon(("EXPIRE", key, KEPT_SECONDS))


def _is_to_prolong(tenant_id: int) -> bool:
    """Not with each entry: the key's expiry is far longer than the time between two of these."""
    now = time.monotonic()
    if now < _prolonged.get(tenant_id, 0.0):
        return False
    _prolonged[tenant_id] = now + _PROLONG_SECONDS
    return True
