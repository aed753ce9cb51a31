"""Dead letters by group: the failed jobs of one tenant that nobody has discarded and that have a
fingerprint in common.

What a page of groups costs grows with the number of groups, not of jobs: each group is found by
one look past the one before in the index of dead letters, and a long one is counted no further
than `EXACT_TO`.

Raw SQL: the ORM knows neither lateral joins nor recursion.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from jobs.models import Job
from jobs.states import Status
from jobs.stats.count import EXACT_TO, LIMIT, Count

MOST_GROUPS = 5_000  # beyond, some are left out
NO_FINGERPRINT = "unsorted"  # stands for the group of jobs that have none
_FINGERPRINT = re.compile(r"[0-9a-f]{32}")
_EDGE = 200  # jobs at either end of a group among which its first and last failure is looked for


@dataclass(frozen=True, kw_only=True)
class Group:
    """`first` and `last` are exact where the group has no more than a few hundred jobs; beyond,
    a job that was retried by hand and failed again may be missed."""

    fingerprint: str
    count: Count
    first: datetime
    last: datetime
    sample: Job

    @property
    def name(self) -> str:
        return self.fingerprint or NO_FINGERPRINT

    @property
    def exception(self) -> str:
        return str((self.sample.error or {}).get("type", ""))

    @property
    def message(self) -> str:
        return str((self.sample.error or {}).get("message", ""))

    @property
    def frames(self) -> list[str]:
        return [str(frame) for frame in (self.sample.error or {}).get("frames", ())]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Whose dead letters (`tenants` None: everybody's), and which groups: those whose newest job
    is of this type and in this queue, handed in before `before` (its `seq`), or the one group of
    this fingerprint."""

    tenants: Collection[int] | None = None
    owner: str = ""
    type: str = ""
    queue: str = ""
    fingerprint: str | None = None
    before: int | None = None


def column_of(name: str) -> str:
    """What the column holds of a group that is called so; of a word that names none, what no job
    has."""
    if name == NO_FINGERPRINT:
        return ""
    return name if _FINGERPRINT.fullmatch(name) else "-"


def groups_of(wanted: Wanted, limit: int) -> list[Group]:
    """The group whose newest job was handed in last comes first."""
    rows = _run(_statement(wanted), limit=limit, **_parameters(wanted))
    samples = Job.objects.select_related("tenant").defer("payload", "result")
    by_id = samples.in_bulk([row[0] for row in rows])
    return [_group(by_id[row[0]], *row[1:]) for row in rows if row[0] in by_id]


def count_of(job: Job) -> Count:
    """How many dead letters are like this one, itself among them."""
    alike = dead_letters(job.fingerprint).filter(tenant=job.tenant_id)
    return _counted(alike[:LIMIT].count(), False)


def dead_letters(fingerprint: str, rows: QuerySet[Job] | None = None) -> QuerySet[Job]:
    """Those of `rows` (None: of all jobs) that belong to such a group."""
    among = Job.objects.all() if rows is None else rows
    return among.filter(status=Status.FAILED, discarded_at=None, fingerprint=fingerprint)


def _group(sample: Job, number: int, first: datetime, last: datetime, cut: bool) -> Group:
    count = _counted(number, cut)
    return Group(fingerprint=sample.fingerprint, count=count, first=first, last=last, sample=sample)


def _counted(number: int, cut: bool) -> Count:
    return Count(number=min(number, EXACT_TO), exact=number <= EXACT_TO and not cut)


_DEAD = "job.status = 'failed' AND job.discarded_at IS NULL"
_TENANTS = """unnest(COALESCE(%(tenants)s::bigint[],
    ARRAY(SELECT id FROM accounts_tenant WHERE works_for_id IS NULL))) AS tenant(id)"""
_HEAD = f"""CROSS JOIN LATERAL (
    SELECT job.fingerprint, job.seq, job.type, job.queue FROM jobs_job AS job
     WHERE {{which}} AND {_DEAD}
     ORDER BY job.fingerprint, job.seq DESC LIMIT 1) AS head"""  # noqa: S608 (constants)
_FIRST = _HEAD.format(which="job.tenant_id = tenant.id")
_NEXT = _HEAD.format(
    which="job.tenant_id = heads.tenant_id AND job.fingerprint > heads.fingerprint"
)
_ONE = _HEAD.format(which="job.tenant_id = tenant.id AND job.fingerprint = %(fingerprint)s")
_EVERY = f"""WITH RECURSIVE heads AS (
    SELECT tenant.id AS tenant_id, head.* FROM {_TENANTS} {_FIRST}
    UNION ALL
    SELECT heads.tenant_id, head.* FROM heads {_NEXT}
)"""  # noqa: S608 (constants)
_THE_ONE = f"""WITH heads AS (
    SELECT tenant.id AS tenant_id, head.* FROM {_TENANTS} {_ONE}
)"""  # noqa: S608 (constants)
_FILTERS = """(%(type)s = '' OR type = %(type)s) AND (%(queue)s = '' OR queue = %(queue)s)
       AND (%(before)s::bigint IS NULL OR seq < %(before)s)"""
_ALIKE = f"""FROM jobs_job AS job
     WHERE job.tenant_id = page.tenant_id AND job.fingerprint = page.fingerprint AND {_DEAD}"""
_SIZED = f"""
SELECT sample.id, size.number, ends.first, ends.last, false
  FROM (SELECT * FROM (SELECT * FROM heads LIMIT {MOST_GROUPS}) AS heads
         WHERE {_FILTERS} ORDER BY seq DESC LIMIT %(limit)s) AS page
  JOIN jobs_job AS sample ON sample.tenant_id = page.tenant_id AND sample.seq = page.seq
 CROSS JOIN LATERAL (
    SELECT count(*) AS number FROM (SELECT 1 {_ALIKE} LIMIT {LIMIT}) AS one) AS size
 CROSS JOIN LATERAL (
    SELECT min(completed_at) AS first, max(completed_at) AS last FROM (
        (SELECT job.completed_at {_ALIKE} ORDER BY job.seq DESC LIMIT {_EDGE})
        UNION ALL
        (SELECT job.completed_at {_ALIKE} ORDER BY job.seq LIMIT {_EDGE})) AS one) AS ends
 ORDER BY page.seq DESC
"""  # noqa: S608 (constants of this module; values travel as parameters)
# No index has an owner's dead letters by fingerprint: the newest of them are looked at.
_OF_OWNER = f"""
WITH newest AS MATERIALIZED (
    SELECT found.* FROM {_TENANTS} CROSS JOIN LATERAL (
        SELECT job.id, job.tenant_id, job.fingerprint, job.seq, job.type, job.queue,
               job.completed_at
          FROM jobs_job AS job
         WHERE job.tenant_id = tenant.id AND job.owner = %(owner)s AND job.owner <> ''
           AND {_DEAD}
         ORDER BY job.seq DESC LIMIT {LIMIT}) AS found
), heads AS (
    SELECT tenant_id, max(seq) AS seq, count(*) AS number, min(completed_at) AS first,
           max(completed_at) AS last
      FROM newest WHERE %(fingerprint)s::text IS NULL OR fingerprint = %(fingerprint)s
     GROUP BY tenant_id, fingerprint
)
SELECT id, number, first, last, (SELECT count(*) FROM newest) > {EXACT_TO}
  FROM heads JOIN newest USING (tenant_id, seq)
 WHERE {_FILTERS} ORDER BY seq DESC LIMIT %(limit)s
"""  # noqa: S608 (constants of this module; values travel as parameters)


def _statement(wanted: Wanted) -> str:
    if wanted.owner:
        return _OF_OWNER
    return (_EVERY if wanted.fingerprint is None else _THE_ONE) + _SIZED


def _parameters(wanted: Wanted) -> dict[str, Any]:
    return {
        "tenants": None if wanted.tenants is None else list(wanted.tenants),
        "owner": wanted.owner,
        "type": wanted.type,
        "queue": wanted.queue,
        "fingerprint": wanted.fingerprint,
        "before": wanted.before,
    }


def _run(statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
