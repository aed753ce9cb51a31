"""The newest failures, on the first page of the admin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from jobs.stats import Whose
from jobs.stats.picking import newest_failed_of


@dataclass(frozen=True, kw_only=True)
class FailureRow:
    type: str
    url: str
    message: str
    at: datetime | None


def failure_rows(whose: Whose) -> Sequence[FailureRow]:
    return [
        FailureRow(
            type=job.type,
            url=reverse("admin:jobs_job_change", args=[job.pk]),
            message=str((job.error or {}).get("message", "")),
            at=job.completed_at,
        )
        for job in newest_failed_of(whose)
    ]
