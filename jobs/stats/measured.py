"""What ended in the last minute, hour and day: written roll-ups, and the jobs that ended since.

Hour and day begin with a full minute, so they are up to a minute longer. The roll-ups are read
together with the moment up to which they are written, then the jobs after that moment: what is
written in between is read once, whichever statement comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import connection

from jobs.models.rollup import EVERY_TENANT
from jobs.stats.ended import (
    COLUMNS,
    ENDED_AT,
    FACTS,
    GROUPED,
    GROUPS,
    HAS_ENDED,
    NUMBERS,
    Ended,
    of_group,
)
from jobs.stats.rollup import MARK
from jobs.stats.whose import Whose

LIVE_LIMIT = 5_000
OWNER_LIMIT = 1_000  # these rows are visited one by one


class Window(StrEnum):
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


SECONDS = {Window.MINUTE: 60, Window.HOUR: 3600, Window.DAY: 86_400}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """`live`: up to this moment. Otherwise so much ended lately that reading it would be slow; then
    hour and day lag some seconds behind, and the minute is the last one that is written. (An
    owner's figures have no roll-ups: not `live` then means that there are more jobs than told.)"""

    windows: Mapping[Window, Ended]
    live: bool

    @property
    def per_second(self) -> float:
        """How many jobs finish, by the busier of the last minute and the last hour."""
        rates = (
            self.windows[each].finished / SECONDS[each] for each in (Window.MINUTE, Window.HOUR)
        )
        return max(rates)


def measured(whose: Whose, *, queue: str = "") -> Measured:
    """`queue` is of all tenants together."""
    if whose.owner:
        return _measured_of_owner(whose)
    rolled, until = _rolled(EVERY_TENANT if whose.tenant is None else whose.tenant, queue)
    statement = _RECENT.format(of_job=whose.of_job)
    recent = _read(statement, {**whose.parameters, "queue": queue, "until": until})
    if _seen(recent) > LIVE_LIMIT:
        return Measured(windows=rolled, live=False)
    return Measured(windows=_with_live(rolled, recent), live=True)


def _measured_of_owner(whose: Whose) -> Measured:
    statement = _RECENT_OF_OWNER.format(of_tenant=whose.of_tenant)
    recent = _read(statement, {**whose.parameters, "until": None})
    nothing = dict.fromkeys(Window, Ended())
    return Measured(windows=_with_live(nothing, recent), live=_seen(recent) <= OWNER_LIMIT)


_ROLLED = f"""
    WITH mark AS (SELECT max(until) AS until FROM jobs_rollupmark WHERE name = %(mark)s), part AS (
        SELECT 'minute' AS name, date_trunc('minute', until) - interval '1 minute' AS since,
               date_trunc('minute', until) AS before FROM mark
        UNION ALL
        SELECT 'hour', date_trunc('minute', statement_timestamp() - interval '1 hour'), 'infinity'
        UNION ALL
        SELECT 'day', date_trunc('minute', statement_timestamp() - interval '1 day'), 'infinity'
    )
    SELECT part.name, (SELECT until FROM mark),
           {", ".join(f"COALESCE(sum(known.{name}), 0)" for name in NUMBERS)},
           ARRAY(SELECT sum(number)::bigint FROM jobs_rollup AS each,
                        unnest(each.waits) WITH ORDINALITY AS wait(number, place)
                  WHERE each.tenant_id = %(tenant)s AND each.queue = %(queue)s AND each.type = ''
                    AND each.minute >= part.since AND each.minute < part.before
                  GROUP BY place ORDER BY place)
      FROM part LEFT JOIN jobs_rollup AS known
        ON known.tenant_id = %(tenant)s AND known.queue = %(queue)s AND known.type = ''
       AND known.minute >= part.since AND known.minute < part.before
     GROUP BY part.name, part.since, part.before
"""  # noqa: S608 (constants; values travel as parameters)


def _rolled(tenant: int, queue: str) -> tuple[dict[Window, Ended], datetime | None]:
    with connection.cursor() as cursor:
        cursor.execute(_ROLLED, {"mark": MARK, "tenant": tenant, "queue": queue})
        rows = cursor.fetchall()
    windows = {Window(name): _ended(numbers) for name, _, *numbers in rows}
    return windows, rows[0][1]


def _ended(row: list[Any]) -> Ended:
    *numbers, waits = row
    values: dict[str, Any] = {
        name: float(number) if name == "run_seconds" else int(number)
        for name, number in zip(NUMBERS, numbers, strict=True)
    }
    return Ended(**values, waits=waits)


_GROUPED_BY_AGE = f"""
    SELECT ended_at > COALESCE(%(until)s::timestamptz, '-infinity') AS unwritten,
           CASE WHEN ended_at > statement_timestamp() - interval '1 minute' THEN 'minute'
                WHEN ended_at >= date_trunc('minute', statement_timestamp() - interval '1 hour')
                THEN 'hour' ELSE 'day' END AS age,
           (SELECT count(*) FROM recent), {GROUPED}
"""  # noqa: S608 (as above)
# `job_ended` has no tenant: what ended lately is read whosever it is, up to the limit.
_RECENT = f"""
    WITH recent AS MATERIALIZED (
        SELECT {COLUMNS}, {ENDED_AT} AS ended_at FROM jobs_job AS job
         WHERE {HAS_ENDED} AND {ENDED_AT} > GREATEST(
               LEAST(COALESCE(%(until)s::timestamptz, '-infinity'),
                     statement_timestamp() - interval '1 minute'),
               statement_timestamp() - interval '1 day')
         ORDER BY {ENDED_AT} LIMIT {LIVE_LIMIT + 1})
    {_GROUPED_BY_AGE}
      FROM (SELECT job.ended_at, {FACTS} FROM recent AS job
             WHERE {{of_job}} AND (%(queue)s = '' OR job.queue = %(queue)s)) AS ended
     GROUP BY 1, 2, {GROUPS}
"""  # noqa: S608 (as above)
_RECENT_OF_OWNER = f"""
    WITH recent AS MATERIALIZED (
        SELECT job.* FROM accounts_tenant AS tenant,
               unnest(ARRAY['cancelled', 'completed', 'failed']) AS final(status), LATERAL (
               SELECT {COLUMNS}, {ENDED_AT} AS ended_at FROM jobs_job AS job
                WHERE job.tenant_id = tenant.id AND job.status = final.status
                  AND job.owner = %(owner)s AND job.owner <> ''
                ORDER BY job.seq DESC LIMIT {OWNER_LIMIT + 1}) AS job
         WHERE {{of_tenant}} LIMIT {LIVE_LIMIT + 1})
    {_GROUPED_BY_AGE}
      FROM (SELECT job.ended_at, {FACTS} FROM recent AS job
             WHERE job.ended_at >= statement_timestamp() - interval '1 day') AS ended
     GROUP BY 1, 2, {GROUPS}
"""  # noqa: S608 (as above)

Recent = list[tuple[bool, Window, int, Ended]]


def _read(statement: str, parameters: Mapping[str, Any]) -> Recent:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [
            (unwritten, Window(age), seen, of_group(*facts))
            for unwritten, age, seen, *facts in cursor.fetchall()
        ]


def _seen(recent: Recent) -> int:
    """How many jobs were read, also of others."""
    return max((seen for _, _, seen, _ in recent), default=0)


def _with_live(rolled: Mapping[Window, Ended], recent: Recent) -> dict[Window, Ended]:
    live = [(age, ended) for unwritten, age, _, ended in recent if unwritten]
    return {
        Window.MINUTE: _sum(ended for _, age, _, ended in recent if age == Window.MINUTE),
        Window.HOUR: rolled[Window.HOUR] + _sum(ended for age, ended in live if age != Window.DAY),
        Window.DAY: rolled[Window.DAY] + _sum(ended for _, ended in live),
    }


def _sum(parts: Iterable[Ended]) -> Ended:
    return sum(parts, start=Ended())
