"""Rows beside the jobs that nobody needs after a while, each kind in small batches."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.api.idempotency import KEPT_HOURS
from jobs.lifecycle.statement import bound_waits, run
from jobs.policies.snapshot import longest_rate
from jobs.retention.removal import remove_empty
from jobs.retention.rules import present_rules

BATCH = 500
PAGE = 2000  # rows of a table looked at, where no index tells the old ones
BATCH_OF_STARTS = 5000  # they are tiny, and many
PAGE_OF_STARTS = 10_000
LEAST_OF_STARTS = timedelta(hours=1)  # so long they stay, should a longer rate be set


def _oldest(table: str, condition: str, *, order: str, key: str = "id") -> str:
    return f"""
        DELETE FROM {table} WHERE {key} = ANY (ARRAY(
            SELECT {key} FROM {table} WHERE {condition}
             ORDER BY {order} LIMIT {BATCH} FOR UPDATE SKIP LOCKED))
    """  # noqa: S608 (constants of this module)


# Raw SQL: the ORM has no DELETE with a limit. `statement_timestamp()`, so that indexes are used.
OLD_ROWS = {
    "idempotency keys": _oldest(
        "accounts_idempotencykey",
        f"created_at < statement_timestamp() - interval '{KEPT_HOURS} hours'",
        order="created_at",
    ),
    "sessions": _oldest(
        "django_session",
        "expire_date < statement_timestamp()",
        order="expire_date",
        key="session_key",
    ),
    "ended pauses": _oldest(
        "jobs_pause", "ended_at < statement_timestamp() - interval '1 year'", order="ended_at"
    ),
    "pauses that ended by themselves": _oldest(
        "jobs_pause",
        "ended_at IS NULL AND until < statement_timestamp() - interval '1 year'",
        order="kind, target",
    ),
}
# No index goes by age, but ids do: where the first page has no old ones, hardly any is old. What
# was sent and has not started counts, for a day at the most.
_STARTS = f"""
    DELETE FROM jobs_rateuse WHERE id = ANY (ARRAY(
        SELECT use.id
          FROM (SELECT id FROM jobs_rateuse ORDER BY id LIMIT {PAGE_OF_STARTS}) AS first
          JOIN jobs_rateuse AS use USING (id)
         WHERE use.started_at < statement_timestamp() - %(seconds)s * interval '1 second'
            OR (use.started_at IS NULL
                AND use.booked_at < statement_timestamp() - interval '1 day')
         ORDER BY use.id LIMIT {BATCH_OF_STARTS} FOR UPDATE OF use SKIP LOCKED))
"""  # noqa: S608 (constants of this module)


class Oldest:
    """Removes rows by one of OLD_ROWS, at most BATCH a step; after a failure, in the next round."""

    def __init__(self, delete: str) -> None:
        self._delete = delete
        self.is_over = False

    def step(self) -> int:
        self.is_over = True
        with transaction.atomic(), connection.cursor() as cursor:
            bound_waits()
            cursor.execute(self._delete)
            removed = int(cursor.rowcount)
        self.is_over = removed < BATCH
        return removed


class OldStarts:
    """Removes the starts that no rate counts any more."""

    is_over = False

    def step(self) -> int:
        self.is_over = True
        longest = max(longest_rate(), LEAST_OF_STARTS)
        with transaction.atomic(), connection.cursor() as cursor:
            bound_waits()
            cursor.execute(_STARTS, {"seconds": longest.total_seconds()})
            removed = int(cursor.rowcount)
        self.is_over = removed < BATCH_OF_STARTS
        return removed


class Pages:
    """Walks over a table by its key, a page a step. `look` takes the key to begin after, and
    returns how many rows it saw, the last one's key, and how many it removed."""

    def __init__(self, first: Any, look: Callable[[Any], tuple[int, Any, int]]) -> None:
        self._after = first
        self._look = look
        self.is_over = False

    def step(self) -> int:
        self.is_over = True
        seen, self._after, removed = self._look(self._after)
        self.is_over = seen < PAGE
        return removed


_KEYS = "SELECT id FROM jobs_keystate WHERE id > %(after)s ORDER BY id LIMIT %(page)s"
_SILENT_KEYS = """
    DELETE FROM jobs_keystate WHERE id = ANY (ARRAY(
        SELECT id FROM jobs_keystate
         WHERE id = ANY(%(ids)s)
           AND COALESCE(closed_until, '-infinity') < statement_timestamp()
               - CASE WHEN failures = 0 AND opened_at IS NULL THEN interval '0'
                      ELSE interval '1 day' END
         ORDER BY id FOR UPDATE SKIP LOCKED))
    RETURNING id
"""


def silent_keys(after: int) -> tuple[int, int, int]:
    """Removes what is known of keys that are open and whose jobs have not failed for a day."""
    ids = [row[0] for row in run(_KEYS, after=after, page=PAGE)]
    if not ids:
        return 0, after, 0
    with transaction.atomic():
        bound_waits()
        removed = len(run(_SILENT_KEYS, ids=ids))
    return len(ids), ids[-1], removed


# A batch of which every item was refused never had a job: it is kept as long as one would be.
_GROUPS = {
    "jobs_batch": """
        SELECT id, finished_at <= statement_timestamp() - %(days)s * interval '1 day'
          FROM jobs_batch WHERE id > %(after)s ORDER BY id LIMIT %(page)s""",
    "jobs_workflow": """
        SELECT id, created_at <= statement_timestamp() - %(days)s * interval '1 day'
          FROM jobs_workflow WHERE id > %(after)s ORDER BY id LIMIT %(page)s""",
}


def empty_groups(table: str, after: UUID) -> tuple[int, UUID, int]:
    """Removes old batches or workflows without jobs, at most BATCH in one transaction."""
    longest = max(present_rules().by_status.values())
    rows = run(_GROUPS[table], after=after, page=PAGE, days=longest)
    old, removed = [group for group, is_old in rows if is_old], 0
    for start in range(0, len(old), BATCH):
        with transaction.atomic():
            bound_waits()
            removed += remove_empty(table, old[start : start + BATCH])
    return len(rows), rows[-1][0] if rows else after, removed
