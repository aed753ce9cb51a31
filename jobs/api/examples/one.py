"""One job, and what is asked about it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from jobs.api.bodies import Retry
from jobs.api.documents import AttemptDocument, JobDocument, JobTypeDocument
from jobs.api.events import TicketDocument, WantedEvents
from jobs.api.figures import ExplanationDocument
from jobs.api.files import FileDocument
from jobs.api.logs import LogLineDocument

ID = "0199a1c0-7d2e-7c41-9b1f-2f6d1c0a9e11"
OTHER_ID = "0199a1c0-8a10-7f02-8c55-6a1be3d4f720"
MADE, BEGAN, ENDED = (f"2026-01-31T12:00:{second}Z" for second in
                      ("00.124551", "00.310022", "03.402711"))  # fmt: skip

JOB: dict[str, Any] = {
    "id": ID,
    "type": "diagnostics.sleep",
    "status": "processing",
    "queue": "default",
    "owner": None,
    "priority": 50,
    "base_priority": 50,
    "level": "normal",
    "payload": {"seconds": 3, "steps": 10},
    "progress": 40,
    "progress_message": "step 4 of 10",
    "result": None,
    "result_url": None,
    "artifacts": [],
    "error": None,
    "attempt": 1,
    "retry_count": 0,
    "crash_count": 0,
    "max_retries": 3,
    "next_retry_at": None,
    "run_at": None,
    "visible_at": None,
    "expires_at": None,
    "timeout_seconds": 600,
    "unique_key": None,
    "labels": {"course": "7"},
    "batch_id": None,
    "workflow_id": None,
    "depends_on": [],
    "schedule_id": None,
    "scheduled_for": None,
    "position": None,
    "position_exact": None,
    "estimated_wait_seconds": None,
    "estimated_duration_seconds": 3,
    "actual_duration_seconds": None,
    "worker": "worker-1@host",
    "lease_expires_at": "2026-01-31T12:00:30.310022Z",
    "webhook_url": "https://shop.example/hooks/jobs",
    "webhook_delivered": None,
    "webhook_attempts": 0,
    "created_at": MADE,
    "started_at": BEGAN,
    "completed_at": None,
    "cancel_requested_at": None,
    "cancelled_at": None,
    "cancelled_by": None,
    "updated_at": "2026-01-31T12:00:01.500310Z",
    "created_by": "token:shop",
}

EXAMPLES: dict[type[BaseModel], Any] = {
    WantedEvents: {"job_id": ID},
    TicketDocument: {"ticket": "shown this once", "expires_at": "2026-01-31T12:01:00.124551Z"},
    JobDocument: JOB,
    Retry: {"payload": {"seconds": 1}},
    AttemptDocument: {
        "number": 1,
        "worker": "worker-1@host",
        "started_at": BEGAN,
        "ended_at": ENDED,
        "outcome": "retried",
        "error": {"type": "TimeoutError", "message": "no answer in 5 seconds", "details": {}},
    },
    ExplanationDocument: {
        "runnable": False,
        "reasons": [
            {
                "code": "paused",
                "detail": "The queue default is paused: maintenance.",
                "until": None,
                "object": "queue:default",
                "remedy": "resume the queue",
            }
        ],
        "ahead": 4,
        "ahead_exact": True,
        "expected_start_at": None,
    },
    JobTypeDocument: {
        "name": "diagnostics.sleep",
        "description": "Sleep, and tell the progress of each step.",
        "queue": "default",
        "max_retries": 3,
        "retry_backoff": {"base_seconds": 120, "factor": 2, "max_seconds": 1800, "jitter": 0.1},
        "timeout_seconds": 600,
        "max_concurrency": None,
        "rate_limit": None,
        "limit_key": None,
        "key_max_concurrency": None,
        "key_rate_limit": None,
        "circuit": None,
        "payload_schema": {
            "type": "object",
            "properties": {"seconds": {"type": "number"}, "steps": {"type": "integer"}},
            "required": ["seconds"],
            "additionalProperties": False,
        },
    },
    LogLineDocument: {
        "at": "2026-01-31T12:00:01.402711Z",
        "attempt": 1,
        "level": "info",
        "message": "step 4 of 10",
    },
    FileDocument: {
        "id": OTHER_ID,
        "name": "lecture.pdf",
        "size": 48211,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "content_type": "application/pdf",
        "expires_at": "2026-02-01T12:00:00.000000Z",
    },
}
