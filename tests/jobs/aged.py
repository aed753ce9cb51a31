"""Jobs that ended long ago."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import F

from accounts.models import Tenant
from jobs.models import Job
from tests.jobs import making

_MOMENTS = ("created_at", "completed_at", "cancelled_at", "discarded_at", "unique_until")


def age(job: Job, *, days: float) -> Job:
    """As though the job had been handed in and had ended so much earlier."""
    gone = timedelta(days=days)
    Job.objects.filter(pk=job.pk).update(**{name: F(name) - gone for name in _MOMENTS})
    return making.fresh(job)


def completed(tenant: Tenant, *, days: float, **options: Any) -> Job:
    return age(making.complete(making.queued(tenant, **options)), days=days)


def ended(tenant: Tenant, situation: str, *, days: float) -> Job:
    return age(making.in_situation(tenant, situation), days=days)
