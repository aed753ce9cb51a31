"""How endpoints fare: what became of the deliveries of the last day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from webhooks.by_time import lowest_id

WINDOW = timedelta(days=1)
MOST_COUNTED = 2_000  # of one endpoint: figures beyond are of its newest deliveries
_COUNTED_TO_TIMED = 4  # so many are counted for each whose time is read: that costs more
_LEAST_TIMED = 20


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Of one endpoint, over the last day. `seconds`: a request took so long, the middle one and
    the slowest of twenty; None where nothing was sent."""

    pending: int = 0
    delivered: int = 0
    failed: int = 0
    attempts: int = 0
    seconds_p50: float | None = None
    seconds_p95: float | None = None

    @property
    def may_lack(self) -> bool:
        """Whether there may be older ones in that day, which are not counted."""
        return self.pending + self.delivered + self.failed >= MOST_COUNTED

    @property
    def success_rate(self) -> float | None:
        ended = self.delivered + self.failed
        return self.delivered / ended if ended else None


# Raw SQL: percentiles and counts of a bounded number of rows each, for a page of endpoints at once.
# Each has a part of its own that names it, so that the planner knows how many it has: of one it
# learns only later it thinks so few that it reads them all. BETWEEN where = would do: else another
# index fits the order too, and leads through all there are.
_NEWEST = """
                      FROM webhooks_delivery AS delivery
                     WHERE delivery.endpoint_id BETWEEN %({endpoint})s AND %({endpoint})s
                       AND delivery.created_at > now() - %(window)s
                       AND delivery.id >= %(first)s
                     ORDER BY delivery.endpoint_id, delivery.id DESC
"""
# By an array of deliveries, which lie beside each other: one by one each would cost a search.
_COUNT = f"""
    SELECT %({{endpoint}})s AS endpoint, counted.pending, counted.delivered, counted.failed,
           counted.attempts, took.p50, took.p95
      FROM (SELECT count(*) FILTER (WHERE row.status = 'pending') AS pending,
                   count(*) FILTER (WHERE row.status = 'delivered') AS delivered,
                   count(*) FILTER (WHERE row.status = 'failed') AS failed,
                   COALESCE(sum(row.attempts), 0) AS attempts
              FROM (SELECT delivery.status, delivery.attempts {_NEWEST}
                     LIMIT %(most)s) AS row) AS counted,
           (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY row.seconds) AS p50,
                   percentile_cont(0.95) WITHIN GROUP (ORDER BY row.seconds) AS p95
              FROM (SELECT attempt.duration_seconds AS seconds
                      FROM webhooks_deliveryattempt AS attempt
                     WHERE attempt.delivery_id = ANY (ARRAY(
                               SELECT delivery.id {_NEWEST} LIMIT %(timed)s))
                     ORDER BY attempt.delivery_id DESC, attempt.number DESC
                     LIMIT %(timed)s) AS row) AS took
"""  # noqa: S608 (constants of this module; values travel as parameters)


def of_endpoints(ids: Iterable[UUID], *, most: int = MOST_COUNTED) -> dict[UUID, Statistics]:
    """Of each, by its newest `most` deliveries; times by a quarter of them and as many requests."""
    named = {f"endpoint_{number}": one for number, one in enumerate(ids)}
    if not named:
        return {}
    given: dict[str, Any] = {
        "window": WINDOW,
        "first": lowest_id(timezone.now() - WINDOW),
        "most": most,
        "timed": max(_LEAST_TIMED, most // _COUNTED_TO_TIMED),
    }
    with connection.cursor() as cursor:
        parts = [_COUNT.format(endpoint=name) for name in named]
        cursor.execute(" UNION ALL ".join(parts), given | named)
        rows = cursor.fetchall()
    return {
        row[0]: Statistics(
            pending=row[1],
            delivered=row[2],
            failed=row[3],
            attempts=row[4],
            seconds_p50=row[5],
            seconds_p95=row[6],
        )
        for row in rows
    }
