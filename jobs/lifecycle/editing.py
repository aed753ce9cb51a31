"""Another wish for a job that does not run: by a newer request with its unique key, or by a person
or program that edits it.

Each adds one to the fence and takes back a message that is on its way, in the same UPDATE, so no
attempt starts with what was asked before. Whoever has claimed the job by then keeps it: nothing
is moved, and `TransitionRefused` says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from jobs.exceptions import TransitionRefused, UniqueKeyTaken
from jobs.lifecycle import unique_keys
from jobs.lifecycle.following import follow
from jobs.lifecycle.statement import ONE, Move, json, move, moving
from jobs.models.job import UNIQUE_KEY_INDEX
from jobs.states import WAITING

# What may be asked anew; of a column that is not here the first request's word stands.
_COLUMNS = {
    "queue": "text",
    "payload": "jsonb",
    "labels": "jsonb",
    "unique_key": "text",
    "limit_key": "text",
    "priority": "smallint",
    "base_priority": "smallint",
    "max_retries": "smallint",
    "retry_backoff": "jsonb",
    "timeout_seconds": "integer",
    "run_at": "timestamptz",
    "expires_at": "timestamptz",
    "estimated_duration_seconds": "integer",
    "webhook_url": "text",
}
_TAKEN_BACK = "fence = job.fence + 1, dispatched_at = NULL"
# Blocked and failed jobs have no start yet: `settle` and `revive` give them theirs.
_STARTING = """
    status = CASE WHEN job.status IN ('blocked', 'failed') THEN job.status
                  WHEN %(start_at)s::timestamptz IS NULL THEN 'queued' ELSE 'scheduled' END,
    visible_at = CASE WHEN job.status NOT IN ('blocked', 'failed')
                      THEN %(start_at)s::timestamptz END,
    queued_at = CASE WHEN job.status = 'scheduled' AND %(start_at)s::timestamptz IS NULL
                     THEN clock_timestamp() ELSE job.queued_at END
"""
_NEW_WISH = "retry_count = 0, crash_count = 0, error = NULL"


def replace(job_id: UUID, columns: Mapping[str, Any], *, start_at: datetime | None) -> Move:
    """A waiting job takes the wish of a newer request: place, age and run stay, counters begin
    anew. Without `start_at` it is ready at once."""
    return _write("replace", job_id, columns, [_NEW_WISH, _STARTING], start_at)


def edit(job_id: UUID, columns: Mapping[str, Any], *, start_at: datetime | None = None) -> Move:
    """A waiting or failed job takes these columns. Where `run_at` is one of them it starts anew at
    `start_at`, or is ready at once; otherwise it keeps its time."""
    return _write("edit", job_id, columns, [_STARTING] if "run_at" in columns else [], start_at)


def _write(
    transition: str,
    job_id: UUID,
    columns: Mapping[str, Any],
    sets: list[str],
    start_at: datetime | None,
) -> Move:
    given = [f"{name} = %({name})s::{_COLUMNS[name]}" for name in columns]
    statement = moving(transition, sets=", ".join([_TAKEN_BACK, *sets, *given]), where=ONE)
    values = {name: _stored(name, value) for name, value in columns.items()}
    try:
        with transaction.atomic():
            if key := columns.get("unique_key"):
                _refuse_taken(job_id, key)
            moves = move(statement, id=job_id, start_at=start_at, **values)
            if not moves:
                raise TransitionRefused()
            follow(moves, transition)
    except IntegrityError as error:
        if UNIQUE_KEY_INDEX not in str(error):
            raise
        raise UniqueKeyTaken() from error
    return moves[0]


def _refuse_taken(job_id: UUID, key: str) -> None:
    """A failed job may have any key: whether it is free is asked when it runs again."""
    unique_keys.lock_of([job_id], key)
    if unique_keys.taken([job_id], WAITING, key):
        raise UniqueKeyTaken()


def _stored(name: str, value: Any) -> Any:
    return json(value) if _COLUMNS[name] == "jsonb" else value
