"""From when to when attempts ran, and how many at once: by the rows and by the jobs' own word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from jobs.models import Attempt, Job
from tests.testapp.trace import traces


@dataclass(frozen=True, kw_only=True)
class Span:
    """Seconds by the database's clock. `begin` and `end` are inside the attempt's time."""

    attempt: str  # job and fence
    key: str
    begin: float
    end: float


def by_the_rows(jobs: Iterable[Job]) -> list[Span]:
    """Every attempt of these jobs, as long as its row said that it ran."""
    of_jobs = {job.pk: job for job in jobs}
    spans = [
        Span(
            attempt=f"{job.pk}:{job.fence - 1}",
            key=job.limit_key,
            begin=job.started_at.timestamp(),
            end=job.completed_at.timestamp(),
        )
        for job in of_jobs.values()
        if job.started_at and job.completed_at
    ]
    for line in Attempt.objects.filter(job__in=of_jobs):
        spans.append(
            Span(
                attempt=f"{line.job_id}:{line.fence}",
                key=of_jobs[line.job_id].limit_key,
                begin=line.started_at.timestamp(),
                end=line.ended_at.timestamp(),
            )
        )
    return spans


def by_their_traces(file: Path) -> list[Span]:
    """Every attempt from its first to its last sign of life."""
    seen: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
    keys = {}
    for line in traces(file):
        seen[line["attempt"]].append(line)
        keys[line["attempt"]] = line["key"]
    return [
        Span(attempt=name, key=keys[name], begin=lines[0]["clock"], end=lines[-1]["clock"])
        for name, lines in seen.items()
    ]


def cut_off(spans: Iterable[Span], rows: Iterable[Span], lost: Iterable[str]) -> list[Span]:
    """Without what the lost attempts did after their row was taken from them."""
    ends = {row.attempt: row.end for row in rows}
    gone = set(lost)
    return [
        replace(span, end=min(span.end, ends[span.attempt])) if span.attempt in gone else span
        for span in spans
    ]


def most_at_once(spans: Iterable[Span]) -> int:
    """Of those that share a moment. One that ends when another begins shares none with it."""
    changes = [change for one in spans for change in ((one.begin, 1), (one.end, -1))]
    most = now = 0
    for _, change in sorted(changes):
        now += change
        most = max(most, now)
    return most


def most_in_a_window(starts: Sequence[datetime], length: timedelta) -> int:
    """In any window so long; it is enough to look at those that end with a start."""
    ordered = sorted(starts)
    most = first = 0
    for number, end in enumerate(ordered):
        while ordered[first] <= end - length:
            first += 1
        most = max(most, number - first + 1)
    return most
