"""Writes what ended, minute by minute, a few seconds after it did.

One row (`RollupMark`) says up to which moment everything is written. Each step locks it, adds what
ended after it and up to a later moment, and moves it, in one transaction. So a step that is
repeated, that a crash undoes, or that two dispatchers attempt at once, counts nothing twice.

A moment is passed only when no job can still be given an earlier one. A job's end is dated when
its statement runs and seen when that commits, so the look stays behind every transaction that has
begun to write (but not behind one that takes over a minute), and some seconds behind the clock.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from jobs.models.rollup import EVERY_TENANT
from jobs.stats.ended import ENDED_AT, FACTS, GROUPED, GROUPS, HAS_ENDED, NUMBERS, Ended, of_group
from jobs.stats.whose import OURS

MARK = "ended"
JOBS_A_STEP = 20_000
FIRST_REACH = "1 day"  # how far back the very first step looks

Place = tuple[datetime, int, str, str]  # minute, tenant, queue, type

_ENSURE = f"""
    INSERT INTO jobs_rollupmark (name, until)
    VALUES (%(mark)s, clock_timestamp() - interval '{FIRST_REACH}') ON CONFLICT DO NOTHING
"""  # noqa: S608 (constants of this module)
_LOCK = "SELECT until FROM jobs_rollupmark WHERE name = %(mark)s FOR UPDATE SKIP LOCKED"
_SETTLED = """
    SELECT LEAST(clock_timestamp() - interval '2 seconds', min(xact_start)) FROM pg_stat_activity
     WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()
       AND xact_start > clock_timestamp() - interval '1 minute'
"""
# Where there is more than one step can take, up to the last job that it does.
_END_OF_STEP = f"""
    SELECT {ENDED_AT} FROM jobs_job AS job
     WHERE {HAS_ENDED} AND {ENDED_AT} > %(after)s AND {ENDED_AT} <= %(until)s
     ORDER BY {ENDED_AT} OFFSET %(most)s - 1 LIMIT 1
"""  # noqa: S608 (as above)
_READ = f"""
    SELECT date_trunc('minute', ended_at), tenant_id, queue, type, {GROUPED}
      FROM (SELECT {ENDED_AT} AS ended_at, job.tenant_id, job.queue, job.type, {FACTS}
              FROM jobs_job AS job
             WHERE {HAS_ENDED} AND {ENDED_AT} > %(after)s AND {ENDED_AT} <= %(until)s) AS ended
     GROUP BY 1, tenant_id, queue, type, {GROUPS}
"""  # noqa: S608 (as above)
_ADD = f"""
    INSERT INTO jobs_rollup AS known (minute, tenant_id, queue, type, {", ".join(NUMBERS)}, waits)
    SELECT minute, tenant_id, queue, type, {", ".join(NUMBERS)}, waits
      FROM jsonb_to_recordset(%(rows)s::jsonb) AS given(
           minute timestamptz, tenant_id bigint, queue text, type text, completed bigint,
           failed bigint, cancelled bigint, completed_after_retry bigint,
           failed_after_retry bigint, run_seconds float, waits int[])
     ORDER BY tenant_id, queue, type, minute
    ON CONFLICT (tenant_id, queue, type, minute) DO UPDATE SET
        {", ".join(f"{name} = known.{name} + excluded.{name}" for name in NUMBERS)},
        waits = ARRAY(SELECT COALESCE(old, 0) + COALESCE(new, 0)
                        FROM unnest(known.waits, excluded.waits) WITH ORDINALITY
                          AS pair(old, new, place) ORDER BY place)
"""  # noqa: S608 (as above)
_MOVE = "UPDATE jobs_rollupmark SET until = %(until)s WHERE name = %(mark)s"


def roll_up(most: int = JOBS_A_STEP) -> int:
    """Write what has ended since the last time, about `most` jobs of it at once: where it is more,
    call again. Returns how many jobs were looked at: of the platform's own nothing is written."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ENSURE, {"mark": MARK})
        cursor.execute(_LOCK, {"mark": MARK})
        locked = cursor.fetchone()
        if locked is None:  # another dispatcher is at it
            return 0
        after, until = locked[0], _settled(cursor)
        if until <= after:
            return 0
        until = _end_of_step(cursor, after, until, most)
        cursor.execute(_READ, {"after": after, "until": until})
        groups = cursor.fetchall()
        ours = _ours(cursor) if groups else set()
        _add(cursor, summed(group for group in groups if group[1] not in ours))
        cursor.execute(_MOVE, {"mark": MARK, "until": until})
    return sum(number for *_, number, _ in groups)


def _ours(cursor: Any) -> set[int]:
    """The keys of the platform's own tenants."""
    cursor.execute(OURS)
    return {tenant for (tenant,) in cursor.fetchall()}


def _settled(cursor: Any) -> datetime:
    """Nothing will be seen later that ended before this moment."""
    cursor.execute(_SETTLED)
    (moment,) = cursor.fetchone()
    assert isinstance(moment, datetime)
    return moment


def _end_of_step(cursor: Any, after: datetime, until: datetime, most: int) -> datetime:
    cursor.execute(_END_OF_STEP, {"after": after, "until": until, "most": most})
    row = cursor.fetchone()
    return row[0] if row else until


def summed(groups: Iterable[tuple[Any, ...]]) -> Mapping[Place, Ended]:
    """Each group at its own place, and in the sums of its tenant, its queue and all."""
    places: defaultdict[Place, Ended] = defaultdict(Ended)
    for minute, tenant, queue, job_type, *facts in groups:
        ended = of_group(*facts)
        for place in (
            (minute, tenant, queue, job_type),
            (minute, tenant, "", ""),
            (minute, EVERY_TENANT, queue, ""),
            (minute, EVERY_TENANT, "", ""),
        ):
            places[place] += ended
    return places


def _add(cursor: Any, places: Mapping[Place, Ended]) -> None:
    names = ("minute", "tenant_id", "queue", "type")
    rows = [
        {**dict(zip(names, place, strict=True)), **asdict(ended)} for place, ended in places.items()
    ]
    if rows:
        cursor.execute(_ADD, {"rows": json.dumps(rows, default=datetime.isoformat)})
