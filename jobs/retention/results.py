"""A job's result, as long as it may be read. It goes with the job's row, and is hidden before."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from jobs import registry
from jobs.exceptions import UnknownJobType
from jobs.job_type import AsConfigured
from jobs.models import Job
from jobs.retention.rules import LONGEST_DAYS


def result_of(job: Job, now: datetime | None = None) -> Any:
    """The result, or None where its time is over. Nobody shows `job.result` but by this."""
    return None if has_expired(job, now) else job.result


def has_expired(job: Job, now: datetime | None = None) -> bool:
    """Whether there was a result in the row that can no longer be read."""
    return job.result is not None and is_over(job, now)


def is_over(job: Job, now: datetime | None = None) -> bool:
    """Whether a result of this job, wherever it lies, can no longer be read."""
    if job.completed_at is None:
        return False
    hours = _hours(job.type)
    if hours is None or hours >= LONGEST_DAYS * 24:
        return False
    return job.completed_at + timedelta(hours=hours) <= (now or timezone.now())


def _hours(type_name: str) -> float | None:
    """None: as long as the job. A type that is gone is as one that says nothing."""
    try:
        own = registry.get(type_name).result_retention_hours
    except UnknownJobType:
        own = AsConfigured.YES
    return settings.RETENTION_RESULT_HOURS if isinstance(own, AsConfigured) else own
