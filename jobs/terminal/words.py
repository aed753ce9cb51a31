"""Jobs in a few words. They speak of the documents that the API answers with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

JobJson = Mapping[str, Any]

STYLES = {
    "scheduled": ("◷", "yellow"),
    "blocked": ("◷", "yellow"),
    "queued": ("·", "dim"),
    "processing": ("▶", "cyan"),
    "completed": ("✔", "green"),
    "failed": ("✘", "red"),
    "cancelled": ("–", "magenta"),
}
LEVELS = {"urgent": "bold red", "high": "bold yellow", "normal": "default", "low": "dim"}
ENDED = frozenset({"completed", "failed", "cancelled"})


def happening(job: JobJson) -> str:
    """What the job is at, in a few words of one line."""
    return plain(_HAPPENING[job["status"]](job)).replace("\n", " ")


def percent(job: JobJson) -> float:
    return 100.0 if job["status"] == "completed" else float(job["progress"] or 0)


def duration(seconds: float | None) -> str:
    """`12 ms`, `3.4 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`, or a dash where there is none."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
    whole = round(seconds)
    for size, name, smaller, smaller_name in _UNITS:
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {name}" + (f" {rest} {smaller_name}" if rest else "")
    return f"{whole} s"


_UNITS = ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


def plain(text: object) -> str:
    """Text of a job without what a terminal would obey: only what can be seen, and line ends."""
    return "".join(
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in str(text)
    )


def clock(moment: str) -> str:
    """A timestamp of the API to the second; every time in a terminal is UTC, as it is there."""
    return moment[:19].replace("T", " ")


def until(moment: str | None) -> float | None:
    """Seconds from now to a timestamp of the API."""
    if moment is None:
        return None
    return (
        datetime.fromisoformat(moment.replace("Z", "+00:00")) - datetime.now(UTC)
    ).total_seconds()


def _soon(moment: str | None) -> str:
    seconds = until(moment)
    if seconds is None:
        return "soon"
    return f"in {duration(round(seconds))}" if seconds > 1 else "now"


def _blocked(job: JobJson) -> str:
    count = len(job.get("depends_on") or ())
    return f"waits for {count} other {'job' if count == 1 else 'jobs'}"


def _scheduled(job: JobJson) -> str:
    if job["retry_count"]:
        retry = f"retry {job['retry_count']} of {job['max_retries']}"
        return f"failed, {retry} {_soon(job['next_retry_at'])}"
    return f"starts {_soon(job.get('visible_at'))}"


def _queued(job: JobJson) -> str:
    place = job.get("position")
    if place is None:
        return "queued"
    return f"queued, number {place:,}" if job["position_exact"] else f"queued, about {place:,}"


def _processing(job: JobJson) -> str:
    if job.get("cancel_requested_at"):
        return "asked to end"
    return str(job["progress_message"] or "processing")


def _completed(job: JobJson) -> str:
    count = job["retry_count"]
    retries = f", {count} {'retry' if count == 1 else 'retries'}" if count else ""
    return f"completed in {duration(job['actual_duration_seconds'])}{retries}"


def _failed(job: JobJson) -> str:
    return f"failed: {(job['error'] or {}).get('message') or 'unknown reason'}"


def _cancelled(job: JobJson) -> str:
    by = job.get("cancelled_by")
    return f"cancelled by {by}" if by else "cancelled"


_HAPPENING = {
    "blocked": _blocked,
    "scheduled": _scheduled,
    "queued": _queued,
    "processing": _processing,
    "completed": _completed,
    "failed": _failed,
    "cancelled": _cancelled,
}
