"""The jobs that a request may see, as rows ready to be presented."""

from __future__ import annotations

from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from rest_framework.exceptions import NotFound

from accounts.access import Access
from accounts.api.path import as_id
from jobs.models import Dependency, Job

__all__ = ["as_id", "job_of", "jobs_of"]

_WAITS_FOR = ArraySubquery(
    Dependency.objects.filter(job=OuterRef("pk")).order_by("pk").values("depends_on")
)


def jobs_of(access: Access) -> QuerySet[Job]:
    """In one query, each with the ids it waits for and, where all tenants are shown, its tenant."""
    rows: QuerySet[Job] = access.narrow(Job.objects.annotate(waits_for=_WAITS_FOR))
    return rows if access.tenant else rows.select_related("tenant")


def job_of(access: Access, job_id: UUID | str) -> Job:
    """Raises NotFound, the same for a malformed, a missing and a foreign id."""
    try:
        return jobs_of(access).get(pk=as_id(job_id))
    except Job.DoesNotExist:
        raise NotFound from None
