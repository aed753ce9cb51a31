"""What stands in each queue, and who serves it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q

from jobs.priorities import Level
from jobs.states import Status
from jobs.stats.count import LIMIT, Count, with_estimates
from jobs.stats.waiting import Depth, waiting_of
from jobs.stats.whose import Whose
from jobs.stats.workers import consumers


@dataclass(frozen=True, kw_only=True)
class QueueFigures:
    """`depth`: the queued jobs by level. `workers`: how many live ones consume it."""

    name: str
    depth: Mapping[Level, Count]
    counts: Mapping[Status, Count]
    oldest_at: datetime | None
    workers: int

    @property
    def exact(self) -> bool:
        return all(count.exact for count in (*self.depth.values(), *self.counts.values()))


def queues_of(whose: Whose, names: Sequence[str]) -> list[QueueFigures]:
    """In the order of `names`."""
    depths, counts, workers = waiting_of(whose), _counts(whose, names), consumers()
    return [
        _figures(
            name,
            [depth for depth in depths if depth.queue == name],
            {status: counts[name, status] for status in _COUNTED},
            workers[name],
        )
        for name in names
    ]


def _figures(
    name: str, depths: Sequence[Depth], counts: Mapping[Status, Count], workers: int
) -> QueueFigures:
    levels = {level: Count() for level in Level} | {d.level: d.waiting for d in depths}
    queued = sum(levels.values(), start=Count())
    return QueueFigures(
        name=name,
        depth=levels,
        counts={status: queued if status == Status.QUEUED else counts[status] for status in Status},
        oldest_at=min((depth.oldest_at for depth in depths), default=None),
        workers=workers,
    )


_COUNTED = [status for status in Status if status != Status.QUEUED]
# Raw SQL: as in `jobs.stats.counting`; the index carries the queue.
_BY_QUEUE = """
    SELECT wanted.status, counted.queue, count(*)
      FROM unnest(%(statuses)s::text[]) AS wanted(status), LATERAL (
           SELECT one.queue FROM accounts_tenant AS tenant, LATERAL (
                  SELECT job.queue FROM jobs_job AS job
                   WHERE job.tenant_id = tenant.id AND job.status = wanted.status {of_owner}
                   LIMIT {limit}) AS one
            WHERE {of_tenant}
            LIMIT {limit}) AS counted
     GROUP BY wanted.status, counted.queue
"""


def _counts(whose: Whose, names: Sequence[str]) -> dict[tuple[str, Status], Count]:
    """A status is counted over all queues at once; where that stopped, each is estimated."""
    found = _found(whose)
    totals = Counter[Status]()
    for (_, status), number in found.items():
        totals[status] += number
    groups: dict[tuple[str, Status], Q] = {
        (name, status): Q(queue=name, status=status) for name in names for status in _COUNTED
    }
    cut = {(name, status) for name, status in groups if totals[status] >= LIMIT}
    return with_estimates(whose, {place: found[place] for place in groups}, cut, groups)


def _found(whose: Whose) -> Counter[tuple[str, Status]]:
    with connection.cursor() as cursor:
        cursor.execute(
            _BY_QUEUE.format(of_owner=whose.of_owner, of_tenant=whose.of_tenant, limit=LIMIT),
            {**whose.parameters, "statuses": [status.value for status in _COUNTED]},
        )
        return Counter({(queue, Status(status)): n for status, queue, n in cursor.fetchall()})
