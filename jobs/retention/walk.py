"""A walk over all ended jobs, the oldest first, a page at a time.

It removes what is due on its way. Jobs that are kept longer than others may stand in front by the
million: the walk remembers how far it came, so it gets past them and each page costs the same.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from jobs.retention.removal import remove
from jobs.retention.rules import DUE, ENDED_AT, OLD_ENOUGH, Rules, present_rules

PAGE = 2000  # jobs looked at
BATCH = 500  # of those removed in one transaction

_BEFORE_ALL = (datetime(1, 1, 1, tzinfo=UTC), UUID(int=0))

# What the rules go by.
_JUDGED = """job.id, job.tenant_id, job.type, job.status, job.completed_at, job.cancelled_at,
    job.discarded_at, job.unique_until"""
# The first condition on the end is the index's; the second one sees to jobs that ended at the
# same moment. MATERIALIZED, so that whatever the planner believes, only a page is judged.
_PAGE = f"""
    WITH page AS MATERIALIZED (
        SELECT {_JUDGED} FROM jobs_job AS job
         WHERE {OLD_ENOUGH} AND {ENDED_AT} >= %(after)s
           AND ({ENDED_AT}, job.id) > (%(after)s, %(id)s)
         ORDER BY {ENDED_AT}, job.id LIMIT %(page)s
    )
    SELECT count(*),
           (array_agg({ENDED_AT} ORDER BY {ENDED_AT} DESC, job.id DESC))[1],
           (array_agg(job.id ORDER BY {ENDED_AT} DESC, job.id DESC))[1],
           COALESCE(array_agg(job.id) FILTER (WHERE {DUE}), ARRAY[]::uuid[])
      FROM page AS job
"""  # noqa: S608 (constants of this package; values travel as parameters)


class _Page(NamedTuple):
    looked_at: int
    last_end: datetime | None
    last_id: UUID | None
    due: list[UUID]


class Walk:
    """One round. `step` until `is_over`."""

    def __init__(self) -> None:
        self._after = _BEFORE_ALL
        self.is_over = False

    def step(self) -> int:
        """Look at one page and remove what of it is due and not needed. Returns how many."""
        self.is_over = True  # should it fail here, that is for the next round
        rules = present_rules()
        page = self._next_page(rules)
        # Before the removal: should that fail, it is tried again in the next round only.
        if page.last_end and page.last_id:
            self._after = (page.last_end, page.last_id)
        self.is_over = page.looked_at < PAGE
        parts = [page.due[start : start + BATCH] for start in range(0, len(page.due), BATCH)]
        return sum(remove(part, rules) for part in parts)

    def _next_page(self, rules: Rules) -> _Page:
        after, job_id = self._after
        names = {"after": after, "id": job_id, "page": PAGE, **rules.parameters()}
        with connection.cursor() as cursor:
            cursor.execute(_PAGE, names)
            return _Page(*cursor.fetchone())
