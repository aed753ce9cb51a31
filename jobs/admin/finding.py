"""The jobs of one page of the list, found at a cost that does not grow with the number of jobs.

Each page goes on where the one before ended. What an index answers is found however far back it
lies. The rest (a second condition, mostly) is looked for among the newest `LOOK` jobs that the
index gives; the page then says how far back that was, and offers to look `DEEP` jobs further.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from jobs.admin.in_batch import keys_in_batch
from jobs.admin.streams import Streams, asked_of, condition_of, parameters_of, streams_of
from jobs.admin.wish import Wish, id_floor
from jobs.models import Job

PAGE = 50
LOOK, DEEP = 400, 20_000
LABELLED = 1_000  # of the jobs with a label, about so many are looked at
_LAST_SEQ = 2**63 - 1
_NOT_LISTED = ("payload", "result", "error", "labels", "retry_backoff")


@dataclass(frozen=True, kw_only=True)
class Found:
    """`older`: where the next page begins, empty on the last one. `looked`: how many jobs were
    looked at, where that ended before the page was full; `sampled`: some may have been left out."""

    jobs: Sequence[Job] = ()
    older: str = ""
    looked: int = 0
    sampled: bool = False


def find(wish: Wish, tenants: Sequence[int], queues: Sequence[str], *, everywhere: bool) -> Found:
    """The jobs of `tenants` that the wish asks for, newest first. `everywhere`: these are all the
    tenants; `queues` are all the queues."""
    if not tenants:
        return Found()
    if wish.search.ids is not None:
        return _by_id(wish, tenants, wish.search.ids)
    if wish.search.batch is not None:
        return _page(keys_in_batch(wish, wish.search.batch, tenants, PAGE + 1))
    if everywhere and wish.is_everything:
        return _newest(wish)
    return _in_streams(wish, tenants, [wish.queue] if wish.queue else list(queues))


def _newest(wish: Wish) -> Found:
    """Ids sort by time, so the primary key gives the newest jobs of all tenants."""
    rows = Job.objects.without_ours().order_by("-pk")
    if wish.created_since is not None:
        rows = rows.filter(pk__gte=id_floor(wish.created_since))
    if (before := _as_id(wish.before)) is not None:
        rows = rows.filter(pk__lt=before)
    return _page([(str(pk), pk) for pk in rows.values_list("pk", flat=True)[: PAGE + 1]])


def _by_id(wish: Wish, tenants: Sequence[int], ids: tuple[UUID, UUID]) -> Found:
    """The jobs of this range of ids, of one's own tenants, among the newest `LOOK` of it."""
    rows = Job.objects.filter(pk__range=ids).order_by("-pk")
    if (before := _as_id(wish.before)) is not None:
        rows = rows.filter(pk__lt=before)
    looked = list(rows.values_list("pk", "tenant_id")[:LOOK])
    mine = set(tenants)
    page = _page([(str(pk), pk) for pk, tenant in looked if tenant in mine])
    if page.older or len(looked) < LOOK:
        return page
    return Found(jobs=page.jobs, older=str(looked[-1][0]), looked=LOOK)


def _in_streams(wish: Wish, tenants: Sequence[int], queues: list[str]) -> Found:
    streams = streams_of(wish, tenants=len(tenants), queues=len(queues))
    since = _seq_since(wish)
    if since is None:
        return Found()
    parameters = {
        **parameters_of(wish),
        "tenants": list(tenants),
        "queues": queues,
        "since": since,
        "before": int(wish.before) if wish.before.isdecimal() else _LAST_SEQ,
        "label": json.dumps(dict([wish.search.label] if wish.search.label else [])),
        "page": PAGE + 1,
    }
    found = _merged(streams, parameters, deep=wish.deep)
    if wish.search.label and found.looked:
        return _labelled(wish, parameters)
    return found


def _seq_since(wish: Wish) -> int | None:
    """The first place in the order of acceptance that can be wanted; None: there is none yet."""
    if wish.created_since is None:
        return 0
    rows = Job.objects.filter(pk__gte=id_floor(wish.created_since)).order_by("pk")
    return rows.values_list("seq", flat=True).first()


# Only the streams with the newest heads can matter. Of the second of them one job less can stand on
# the page than of the first, whose head is newer than all its jobs; and so on.
_MERGED = """
WITH RECURSIVE {tables}, heads AS (
    SELECT streams.*, head.seq AS newest FROM streams CROSS JOIN LATERAL (
        SELECT job.seq FROM jobs_job AS job
         WHERE {one} AND job.seq >= %(since)s AND job.seq < %(before)s
         ORDER BY job.seq DESC LIMIT 1) AS head
     ORDER BY head.seq DESC LIMIT %(page)s
), ranked AS MATERIALIZED (
    SELECT heads.*, row_number() OVER (ORDER BY newest DESC) AS rank FROM heads
), looked AS (
    SELECT found.* FROM ranked AS streams CROSS JOIN LATERAL (
        SELECT job.seq, job.id FROM jobs_job AS job
         WHERE {one} AND job.seq >= %(since)s AND job.seq < %(before)s
         ORDER BY job.seq DESC LIMIT %(page)s + 1 - streams.rank) AS found
    {beside}
)
SELECT seq, id FROM looked ORDER BY seq DESC LIMIT %(page)s
"""
# `bound` is how far back every stream was looked at; a match beyond is left for the next page.
_LOOKED = """
WITH RECURSIVE {tables}, numbered AS (
    SELECT streams.*, row_number() OVER () AS number FROM streams
), looked AS MATERIALIZED (
    SELECT streams.number, found.seq, found.id, found.wanted
      FROM numbered AS streams CROSS JOIN LATERAL (
        SELECT job.seq, job.id, ({rest}) AS wanted FROM jobs_job AS job
         WHERE {one} AND job.seq >= %(since)s AND job.seq < %(before)s
         ORDER BY job.seq DESC LIMIT %(each)s) AS found
    {beside}
), bounds AS (
    SELECT max(last) AS bound FROM (
        SELECT min(seq) AS last FROM looked WHERE number > 0
         GROUP BY number HAVING count(*) >= %(each)s) AS lasts
)
SELECT looked.seq, looked.id, bound, (SELECT count(*) FROM looked) FROM bounds
  LEFT JOIN looked ON looked.wanted AND (bound IS NULL OR looked.seq >= bound)
 ORDER BY looked.seq DESC NULLS LAST LIMIT %(page)s
"""
_BESIDE = """UNION ALL SELECT {what} FROM jobs_job AS job
    WHERE {beside} AND job.seq >= %(since)s AND job.seq < %(before)s"""


def _merged(streams: Streams, parameters: dict[str, Any], *, deep: bool) -> Found:
    if not streams.rest:
        beside = _beside(streams, "job.seq, job.id")
        statement = _MERGED.format(tables=streams.tables, one=streams.one, beside=beside)
        return _page(_run(statement, parameters))
    rest = condition_of(set(streams.rest))
    beside = _beside(streams, f"0, job.seq, job.id, ({rest})")
    statement = _LOOKED.format(tables=streams.tables, one=streams.one, rest=rest, beside=beside)
    each = max(PAGE // 5, (DEEP if deep else LOOK) // streams.number)
    rows = _run(statement, {**parameters, "each": each})
    bound, looked = rows[0][2:]
    page = _page([row[:2] for row in rows if row[1] is not None])
    if page.older or bound is None:
        return page
    return Found(jobs=page.jobs, older=str(bound), looked=looked)


def _beside(streams: Streams, what: str) -> str:
    return _BESIDE.format(what=what, beside=streams.beside) if streams.beside else ""


# A label that a great many old jobs carry would cost as many looks: the server then gives a
# random share of them, which the page says.
_LABELLED = """
WITH hits AS MATERIALIZED (
    SELECT id, seq, tenant_id, status, discarded_at, type, queue, priority, owner, unique_key
      FROM jobs_job AS job WHERE {label} AND job.labels <> '{{}}'
), counted AS (
    SELECT count(*) AS number FROM hits
)
SELECT job.seq, job.id, number FROM counted
  LEFT JOIN hits AS job ON {rest} AND job.tenant_id = ANY(%(tenants)s)
   AND job.seq >= %(since)s AND job.seq < %(before)s
 ORDER BY job.seq DESC NULLS LAST LIMIT %(page)s
"""


def _labelled(wish: Wish, parameters: dict[str, Any]) -> Found:
    rest = condition_of(asked_of(wish) - {"label"})
    statement = _LABELLED.format(label=condition_of({"label"}), rest=rest)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL gin_fuzzy_search_limit = {LABELLED}")
        rows = _run(statement, parameters)
    page = _page([row[:2] for row in rows if row[1] is not None])
    return Found(jobs=page.jobs, older=page.older, sampled=rows[0][2] > LABELLED // 2)


def _run(statement: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _page(keys: Sequence[tuple[Any, ...]]) -> Found:
    """The jobs of these (place in the order, id), one more of which than a page says that there is
    a next page."""
    shown = keys[:PAGE]
    rows = Job.objects.select_related("tenant").defer(*_NOT_LISTED)
    by_id = rows.in_bulk([key[1] for key in shown]) if shown else {}
    return Found(
        jobs=[by_id[key[1]] for key in shown if key[1] in by_id],
        older=str(shown[-1][0]) if len(keys) > PAGE else "",
    )


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
