"""What happened to a job, in order, from its own row and the attempts that did not complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jobs.admin.readable import Block, readable
from jobs.admin.telling import Moment, duration, moment
from jobs.models import Attempt, Job
from jobs.secret import masked
from jobs.states import Status

MOST_ATTEMPTS = 100
_MESSAGE = 2_000
_TRACEBACK = 20_000
# The colour of an attempt's end is that of the status it resembles.
_TONES = {
    "failed": Status.FAILED,
    "lost": Status.FAILED,
    "retried": Status.BLOCKED,
    "cancelled": Status.CANCELLED,
    "completed": Status.COMPLETED,
    "running": Status.PROCESSING,
}


@dataclass(frozen=True, kw_only=True)
class Error:
    """As a person reads it. The traceback is for admins of the tenant."""

    type: str
    message: str
    details: Sequence[Block] = ()
    traceback: str = ""


@dataclass(frozen=True, kw_only=True)
class Event:
    at: Moment
    title: str
    tone: str = ""
    by: str = ""
    worker: str = ""
    took: str = ""
    error: Error | None = None


def error_of(error: Mapping[str, Any] | None, *, with_traceback: bool) -> Error | None:
    if error is None:
        return None
    shown = masked(error)
    trace = str(shown.get("traceback") or "") if with_traceback else ""
    return Error(
        type=str(shown.get("type", "")),
        message=str(shown.get("message", ""))[:_MESSAGE],
        details=readable(shown.get("details")),
        traceback=trace[-_TRACEBACK:],
    )


def history(job: Job, now: datetime, *, with_tracebacks: bool) -> list[Event]:
    """Oldest first; of the attempts the last hundred."""
    attempts = job.attempts.order_by("-fence")[:MOST_ATTEMPTS]
    told = [
        *_of_row(job),
        *_own_attempt(job, now),
        *(_of_attempt(attempt, with_tracebacks) for attempt in attempts),
    ]
    told.sort(key=lambda pair: pair[0])
    return [Event(**{**event, "at": moment(at, now)}) for at, event in told]


_Told = tuple[datetime, dict[str, Any]]


def _of_row(job: Job) -> list[_Told]:
    """Moments that the row itself keeps."""
    moments: list[tuple[datetime | None, str, str, str]] = [
        (job.created_at, "Accepted", "", job.created_by),
        (job.dispatched_at, "Sent to the workers", Status.QUEUED, ""),
        (job.cancel_requested_at, "Cancel asked for", Status.CANCELLED, job.cancelled_by),
        (job.completed_at, str(job.status).capitalize(), job.status, ""),
        (job.cancelled_at, "Cancelled", Status.CANCELLED, job.cancelled_by),
        (job.discarded_at, "Discarded", "", ""),
    ]
    if job.status == Status.SCHEDULED:
        again = "Next attempt" if job.attempt else "Due"
        moments.append((job.visible_at, again, Status.SCHEDULED, ""))
    return [(at, {"title": title, "tone": tone, "by": by}) for at, title, tone, by in moments if at]


def _own_attempt(job: Job, now: datetime) -> list[_Told]:
    """The attempt that only the row tells of: the one that runs, or that completed."""
    if job.started_at is None or job.status not in (Status.PROCESSING, Status.COMPLETED):
        return []
    runs = job.status == Status.PROCESSING
    took = (now - job.started_at).total_seconds() if runs else job.actual_duration_seconds
    end = "running" if runs else "completed"
    return [(job.started_at, _attempt(job.attempt, end, job.worker, took))]


def _of_attempt(attempt: Attempt, with_tracebacks: bool) -> _Told:
    took = (attempt.ended_at - attempt.started_at).total_seconds()
    told = _attempt(attempt.number, attempt.outcome, attempt.worker, took)
    error = error_of(attempt.error, with_traceback=with_tracebacks)
    return attempt.started_at, {**told, "error": error}


def _attempt(number: int, end: str, worker: str, took: float | None) -> dict[str, Any]:
    return {
        "title": f"Attempt {number} {end}",
        "tone": _TONES.get(end, ""),
        "worker": worker,
        "took": duration(took),
    }
