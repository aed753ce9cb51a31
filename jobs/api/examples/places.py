"""Queues, pauses and workers."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from jobs.api.documents import QueueDocument
from jobs.api.examples.one import ID, MADE, OTHER_ID
from jobs.api.figures import WorkerDocument
from jobs.api.policy_bodies import NewPause, NewQueue, PauseTerms, QueueLimits
from jobs.api.policy_documents import PauseDocument

_LIMITS = {"max_concurrency": 4, "rate_limit": "100/m", "weight": 1}

EXAMPLES: dict[type[BaseModel], Any] = {
    NewQueue: {"name": "slow", **_LIMITS},
    QueueLimits: {"max_concurrency": 4, "rate_limit": None},
    PauseTerms: {"reason": "maintenance", "until": "2099-01-31T14:00:00Z"},
    NewPause: {"kind": "type", "target": "diagnostics.sleep", "reason": "it floods the provider"},
    QueueDocument: {
        "name": "slow",
        "depth": {"urgent": 0, "high": 1, "normal": 12, "low": 0},
        "counts": {
            "blocked": 0,
            "scheduled": 2,
            "queued": 13,
            "processing": 4,
            "completed": 310,
            "failed": 1,
            "cancelled": 0,
        },
        "counts_exact": True,
        "oldest_waiting_seconds": 4.182,
        "paused": False,
        **_LIMITS,
        "workers": 2,
    },
    PauseDocument: {
        "id": OTHER_ID,
        "kind": "queue",
        "target": "slow",
        "tenant": None,
        "reason": "maintenance",
        "until": "2026-01-31T14:00:00.000000Z",
        "in_force": True,
        "created_at": MADE,
        "created_by": "user:eve",
        "ended_at": None,
        "ended_by": None,
    },
    WorkerDocument: {
        "name": "worker-1@host",
        "state": "busy",
        "queues": ["default", "slow"],
        "slots": 4,
        "current_jobs": [ID],
        "version": "1.0.0",
        "memory_bytes": 96_468_992,
        "started_at": MADE,
        "seen_at": "2026-01-31T12:00:02.000000Z",
    },
}
