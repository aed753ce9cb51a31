"""Where to look for jobs: streams, each read newest first along an index, whatever its length.

A list over several tenants, statuses or types has no index of its own. But each tenant and status
(or tenant, queue, type and status) has its jobs in order, and the newest of all are the newest
among the first of each. The number of streams does not grow with the number of jobs.

Raw SQL: the ORM knows neither lateral joins nor recursion.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from jobs.admin.wish import Wish
from jobs.priorities import FLOORS, HIGHEST, LOWEST, Level
from jobs.states import Status


@dataclass(frozen=True, kw_only=True)
class Streams:
    """`tables`: SQL of common tables, the last of which, `streams`, has a row for each; `one`: the
    condition on a job that one of them stands for; `beside`: a few jobs that belong to none of them
    and are looked at as well; `rest`: what remains to be asked of each job."""

    tables: str
    one: str
    beside: str = ""
    rest: tuple[str, ...] = ()
    number: int = 1


# Names of a condition → its SQL over a job.
_CONDITIONS = {
    "statuses": "job.status = ANY(%(statuses)s)",
    "dead": "job.discarded_at IS NULL",
    "failure": "job.fingerprint = %(fingerprint)s AND job.status = 'failed' "
    "AND job.discarded_at IS NULL",
    "type": "job.type = %(type)s",
    "queue": "job.queue = %(queue)s",
    "level": "job.priority BETWEEN %(floor)s AND %(ceiling)s",
    "owner": "job.owner = %(owner)s",
    "unique_key": "job.unique_key = %(unique_key)s",
    "label": "job.labels @> %(label)s::jsonb",
}
_PRIORITIES = 5  # of a level, at which jobs wait at a time: a guess
_TENANTS = "tenants(id) AS (SELECT unnest(%(tenants)s::bigint[]))"
_STATUSES = "CROSS JOIN unnest(%(statuses)s::text[]) AS statuses(status)"
_QUEUES = "CROSS JOIN unnest(%(queues)s::text[]) AS queues(name)"


def parameters_of(wish: Wish) -> dict[str, Any]:
    low, high = _band(wish.level) if wish.level else (LOWEST, HIGHEST)
    return {
        "statuses": list(wish.statuses or Status),
        "type": wish.type,
        "queue": wish.queue,
        "floor": low,
        "ceiling": high,
        "owner": wish.owner,
        "unique_key": wish.search.unique_key,
        "fingerprint": wish.search.failure,
    }


def _band(level: Level) -> tuple[int, int]:
    above = [floor for floor in FLOORS.values() if floor > FLOORS[level]]
    return FLOORS[level], min(above, default=HIGHEST + 1) - 1


def asked_of(wish: Wish) -> set[str]:
    """Which of the conditions the wish makes."""
    made = {
        "statuses": bool(wish.statuses),
        "dead": wish.dead,
        "failure": wish.search.failure is not None,
        "type": bool(wish.type),
        "queue": bool(wish.queue),
        "level": wish.level is not None,
        "owner": bool(wish.owner),
        "unique_key": bool(wish.search.unique_key),
        "label": wish.search.label is not None,
    }
    return {name for name, asked in made.items() if asked}


def condition_of(names: set[str]) -> str:
    return " AND ".join(_CONDITIONS[name] for name in sorted(names)) or "TRUE"


def streams_of(wish: Wish, *, tenants: int, queues: int) -> Streams:
    """The streams with the fewest jobs beside those that are wanted."""
    asked = asked_of(wish)
    found, answered = _choose(wish, asked)
    each = {"tenants": tenants, "statuses": len(wish.statuses or Status), "queues": queues}
    each["present"] = _PRIORITIES
    number = 1
    for table, size in each.items():
        number *= size if table in found.tables else 1
    return replace(found, rest=tuple(sorted(asked - answered)), number=number)


def _choose(wish: Wish, asked: set[str]) -> tuple[Streams, set[str]]:
    """The streams, and the conditions that need not be asked again of their jobs."""
    if "failure" in asked:
        return _BY_FAILURE, {"failure", "dead"}
    if "unique_key" in asked:
        return _BY_KEY, {"unique_key"}
    if "owner" in asked:
        return _BY_OWNER, {"owner", "statuses"}
    if "level" in asked and wish.statuses in ((), (Status.QUEUED,)):
        return _BY_LEVEL, {"level", "statuses", "queue"}
    if "type" in asked:
        return _BY_TYPE, {"type", "queue", "statuses"}
    if "queue" in asked:
        return _BY_QUEUE, {"queue", "statuses"}
    if "statuses" in asked:
        return _BY_STATUS, {"statuses"}
    return _BY_TENANT, set()


_BY_TENANT = Streams(
    tables=f"{_TENANTS}, streams AS (SELECT id AS tenant_id FROM tenants)",  # noqa: S608 (constants)
    one="job.tenant_id = streams.tenant_id",
)
_BY_KEY = replace(
    _BY_TENANT,
    one="job.tenant_id = streams.tenant_id AND job.unique_key = %(unique_key)s "
    "AND job.unique_key <> ''",
)
_BY_FAILURE = replace(_BY_TENANT, one=f"{_BY_TENANT.one} AND {_CONDITIONS['failure']}")
_BY_STATUS = Streams(
    tables=f"""{_TENANTS}, streams AS (
        SELECT tenants.id AS tenant_id, status FROM tenants {_STATUSES})""",  # noqa: S608 (constants)
    one="job.tenant_id = streams.tenant_id AND job.status = streams.status",
)
_BY_OWNER = replace(
    _BY_STATUS, one=f"{_BY_STATUS.one} AND job.owner = %(owner)s AND job.owner <> ''"
)
_OF_KIND = """job.tenant_id = streams.tenant_id AND job.queue = streams.queue
    AND job.type = streams.type AND job.status = streams.status"""
# Whether the type is there at all is asked by its place in the order of types: of another question
# the planner might think that it is answered soon by reading the jobs, and read them all.
_BY_TYPE = Streams(
    tables=f"""{_TENANTS}, streams AS (
        SELECT tenants.id AS tenant_id, queues.name AS queue, %(type)s::text AS type, status
          FROM tenants {_QUEUES} {_STATUSES}
         WHERE %(type)s = (SELECT job.type FROM jobs_job AS job
                            WHERE job.tenant_id = tenants.id AND job.queue = queues.name
                              AND job.type >= %(type)s ORDER BY job.type LIMIT 1))""",  # noqa: S608 (constants)
    one=_OF_KIND,
)
# Which types a queue has ever had: each found by one look past the one before.
_BY_QUEUE = Streams(
    tables=f"""{_TENANTS}, kinds(tenant_id, type) AS (
        SELECT tenants.id, (SELECT type FROM jobs_job AS job
                             WHERE job.tenant_id = tenants.id AND job.queue = %(queue)s
                             ORDER BY type LIMIT 1) FROM tenants
        UNION ALL
        SELECT kinds.tenant_id, (SELECT job.type FROM jobs_job AS job
                                  WHERE job.tenant_id = kinds.tenant_id
                                    AND job.queue = %(queue)s AND job.type > kinds.type
                                  ORDER BY job.type LIMIT 1)
          FROM kinds WHERE kinds.type IS NOT NULL
    ), streams AS (
        SELECT tenant_id, %(queue)s::text AS queue, type, status FROM kinds {_STATUSES}
         WHERE type IS NOT NULL)""",  # noqa: S608 (constants)
    one=_OF_KIND,
)
# The priorities at which jobs wait, likewise. One stream more has those that are on their way to a
# worker, which are few.
_NEXT_PRIORITY = """SELECT job.priority FROM jobs_job AS job
    WHERE job.queue = {queue} AND job.tenant_id = {tenant} AND job.status = 'queued'
      AND job.dispatched_at IS NULL AND job.priority >= %(floor)s AND job.priority {bound}
    ORDER BY job.priority DESC LIMIT 1"""
_FIRST = _NEXT_PRIORITY.format(queue="queues.name", tenant="tenants.id", bound="<= %(ceiling)s")
_NEXT = _NEXT_PRIORITY.format(
    queue="present.queue", tenant="present.tenant_id", bound="< present.priority"
)
_BY_LEVEL = Streams(
    tables=f"""{_TENANTS}, present(tenant_id, queue, priority) AS (
        SELECT tenants.id, queues.name, ({_FIRST}) FROM tenants {_QUEUES}
        UNION ALL
        SELECT tenant_id, queue, ({_NEXT}) FROM present WHERE priority IS NOT NULL
    ), streams AS (SELECT * FROM present WHERE priority IS NOT NULL)""",  # noqa: S608 (constants)
    one="""job.queue = streams.queue AND job.tenant_id = streams.tenant_id
        AND job.priority = streams.priority AND job.status = 'queued'
        AND job.dispatched_at IS NULL""",
    beside="""job.status = 'queued' AND job.dispatched_at IS NOT NULL
        AND job.tenant_id = ANY(%(tenants)s) AND job.queue = ANY(%(queues)s)
        AND job.priority BETWEEN %(floor)s AND %(ceiling)s""",
)
