"""How many jobs there are of each status and, of those that wait, of each level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q

from jobs.priorities import Level
from jobs.states import Status
from jobs.stats.count import LIMIT, Count, cut_short, with_estimates
from jobs.stats.waiting import waiting_of
from jobs.stats.whose import Whose

__all__ = ["Count", "Counts", "counts_of"]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """`levels`: of the queued jobs, whether a message is on its way for them or not."""

    statuses: Mapping[Status, Count]
    levels: Mapping[Level, Count]

    @property
    def exact(self) -> bool:
        return all(count.exact for count in (*self.statuses.values(), *self.levels.values()))


def counts_of(whose: Whose) -> Counts:
    """The levels add up to the queued jobs, since that is how those are counted."""
    levels = {level: Count() for level in Level}
    for depth in waiting_of(whose):
        levels[depth.level] += depth.waiting
    queued = sum(levels.values(), start=Count())
    return Counts(statuses={**_statuses(whose), Status.QUEUED: queued}, levels=levels)


# Raw SQL: the ORM has no LATERAL, and a plain WHERE over all tenants would miss the index, which
# starts with the tenant. Each count reads that index only, and stops.
_STATUSES = """
    SELECT wanted.status, (
           SELECT count(*) FROM (
             SELECT 1 FROM accounts_tenant AS tenant, LATERAL (
                    SELECT 1 FROM jobs_job AS job
                     WHERE job.tenant_id = tenant.id AND job.status = wanted.status {of_owner}
                     LIMIT {limit}) AS one
              WHERE {of_tenant}
              LIMIT {limit}) AS counted)
      FROM unnest(%(statuses)s::text[]) AS wanted(status)
"""


def _statuses(whose: Whose) -> dict[Status, Count]:
    wanted = [status for status in Status if status != Status.QUEUED]
    with connection.cursor() as cursor:
        cursor.execute(
            _STATUSES.format(of_owner=whose.of_owner, of_tenant=whose.of_tenant, limit=LIMIT),
            {**whose.parameters, "statuses": [status.value for status in wanted]},
        )
        counted = {Status(status): number for status, number in cursor.fetchall()}
    groups: dict[Status, Q] = {status: Q(status=status) for status in wanted}
    return with_estimates(whose, counted, cut_short(counted), groups)
