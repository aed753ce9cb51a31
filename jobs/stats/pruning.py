"""Removes roll-ups and samples whose time is over, in small batches."""

from __future__ import annotations

from django.conf import settings
from django.db import connection

BATCH = 5_000

# Raw SQL: the ORM has no DELETE with a limit and would read the rows first.
_DELETE = """
    DELETE FROM {table} WHERE id IN (
        SELECT id FROM {table}
         WHERE minute < statement_timestamp() - %(days)s * interval '1 day'
         ORDER BY minute LIMIT %(most)s)
"""


def prune(most: int = BATCH) -> int:
    """At most so many rows of each table. Returns how many were removed."""
    return sum(_pruned(table, most) for table in ("jobs_rollup", "jobs_depthsample"))


def _pruned(table: str, most: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            _DELETE.format(table=table), {"days": settings.RETENTION_STATS_DAYS, "most": most}
        )
        return int(cursor.rowcount)
