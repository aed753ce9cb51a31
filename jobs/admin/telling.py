"""Moments, durations and ids in words for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from jobs import wording
from jobs.models import Job
from jobs.states import Status


@dataclass(frozen=True, kw_only=True)
class Moment:
    """`text` is relative to now, `exact` the same in UTC, `machine` as HTML wants it."""

    text: str
    exact: str
    machine: str


def moment(at: datetime | None, now: datetime) -> Moment | None:
    if at is None:
        return None
    utc = at.astimezone(UTC)
    return Moment(
        text=wording.ago(at, now),
        exact=f"{utc:%Y-%m-%d %H:%M:%S} UTC",
        machine=utc.isoformat(timespec="seconds"),
    )


def duration(seconds: float | None) -> str:
    """How long something took; nothing where it is not known."""
    return "" if seconds is None else wording.duration(seconds)


def run_time(job: Job, now: datetime) -> str:
    """How long it runs, or how long its last attempt ran."""
    if job.status == Status.PROCESSING and job.started_at is not None:
        return duration((now - job.started_at).total_seconds())
    return duration(job.actual_duration_seconds)


def short_id(job_id: UUID) -> str:
    """Its beginning, by which it can be searched for, and its end, by which it is told apart."""
    text = str(job_id)
    return f"{text[:8]}…{text[-6:]}"
