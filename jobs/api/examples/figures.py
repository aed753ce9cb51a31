"""Counts and charts."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from jobs.api.examples.one import ID, JOB
from jobs.api.figures import JobSummary, SeriesDocument, StatsDocument

_SUMMARY = {name: JOB[name] for name in JobSummary.model_fields if name in JOB}
_QUEUED = {**_SUMMARY, "id": ID, "status": "queued", "progress": 0, "attempt": 0,
           "started_at": None}  # fmt: skip

EXAMPLES: dict[type[BaseModel], Any] = {
    StatsDocument: {
        "counts": {
            "status": {
                "blocked": 0,
                "scheduled": 2,
                "queued": 13,
                "processing": 4,
                "completed": 310,
                "failed": 1,
                "cancelled": 0,
            },
            "level": {"urgent": 0, "high": 1, "normal": 12, "low": 0},
        },
        "counts_exact": True,
        "throughput": {"minute": 21, "hour": 310, "day": 310},
        "failure_rate": {"minute": 0.0, "hour": 0.0032, "day": 0.0032},
        "live": True,
        "avg_duration_seconds": 2.91,
        "estimated_wait_seconds": 9.5,
        "wait": {"p50": 0.21, "p95": 3.4, "p99": 7.7},
        "retry_success_rate": 0.97,
        "oldest_waiting_job": {**_QUEUED, "waiting_seconds": 4.182},
        "recent_jobs": [_SUMMARY],
    },
    SeriesDocument: {
        "metric": "depth",
        "range": "1h",
        "step": "1m",
        "unit": "jobs",
        "points": [
            {"at": "2026-01-31T11:59:00.000000Z", "value": 12},
            {"at": "2026-01-31T12:00:00.000000Z", "value": 13},
        ],
    },
}
