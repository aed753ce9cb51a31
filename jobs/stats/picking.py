"""The newest jobs, and the one that waits longest."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import connection

from jobs.models import Job
from jobs.states import Status
from jobs.stats.whose import Whose

# Raw SQL: the ORM has no LATERAL. Both indexes used start with the tenant, and an owner's knows
# order only within a status.
_PICK = """
    SELECT job.id FROM accounts_tenant AS tenant, unnest(%(statuses)s::text[]) AS one(status),
           LATERAL (SELECT job.id, job.seq FROM jobs_job AS job
                     WHERE job.tenant_id = tenant.id AND job.status = one.status {of_owner}
                     ORDER BY job.seq {way} LIMIT %(most)s) AS job
     WHERE {of_tenant}
     ORDER BY job.seq {way} LIMIT %(most)s
"""


def newest_of(whose: Whose, most: int = 10) -> list[Job]:
    """The last to be handed in, without payload and result."""
    if whose.tenant is None and not whose.owner:
        rows = Job.objects.without_ours().order_by("-pk")
        return _rows(rows.values_list("pk", flat=True)[:most])
    return _rows(_picked(whose, list(Status), newest=True, most=most))


def oldest_of(whose: Whose) -> Job | None:
    """Of the queued jobs the first to be handed in, without payload and result."""
    return next(iter(_rows(_picked(whose, [Status.QUEUED], newest=False, most=1))), None)


def _picked(whose: Whose, statuses: list[Status], *, newest: bool, most: int) -> list[UUID]:
    way = "DESC" if newest else "ASC"
    statement = _PICK.format(of_owner=whose.of_owner, of_tenant=whose.of_tenant, way=way)
    with connection.cursor() as cursor:
        cursor.execute(statement, {**whose.parameters, "statuses": statuses, "most": most})
        return [job_id for (job_id,) in cursor.fetchall()]


def _rows(ids: Iterable[UUID]) -> list[Job]:
    jobs = Job.objects.filter(pk__in=list(ids)).select_related("tenant")
    return list(jobs.defer("payload", "result").order_by("-seq"))


def newest_failed_of(whose: Whose, most: int = 5) -> list[Job]:
    """The failed ones that were handed in last, discarded ones left out."""
    ids = _picked(whose, [Status.FAILED], newest=True, most=most * 4)
    return [job for job in _rows(ids) if job.discarded_at is None][:most]
