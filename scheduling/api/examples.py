"""What the calls about schedules take and answer, by model, as the published schema shows it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from scheduling.api.backfill import BackfillDocument
from scheduling.api.bodies import Toggle
from scheduling.api.calendars_documents import (
    CalendarChange,
    CalendarDocument,
    NewCalendar,
    WholeCalendar,
)
from scheduling.api.documents import ScheduleDocument
from scheduling.api.firings import FiringDocument
from scheduling.api.preview import PreviewDocument
from scheduling.api.timeline import TimelineDocument

_ID = "0199a1c2-1e0f-7b6c-8d21-93f0a4c1be05"
_JOB = "0199a1c0-7d2e-7c41-9b1f-2f6d1c0a9e11"
_MADE = "2026-01-31T12:00:00.124551Z"
_RAN, _NEXT, _LATER = (f"2026-02-0{day}T01:00:00.000000Z" for day in (1, 2, 3))
_HOLIDAYS = {
    "name": "holidays",
    "description": "",
    "dates": ["2026-04-06"],
    "yearly": ["01-01", "12-25"],
    "weekdays": [],
}

EXAMPLES: dict[type[BaseModel], Any] = {
    ScheduleDocument: {
        "id": _ID,
        "name": "nightly",
        "description": "",
        "type": "diagnostics.echo",
        "queue": "default",
        "priority": None,
        "level": "normal",
        "payload": {"course": 7},
        "max_retries": None,
        "timeout_seconds": None,
        "labels": {},
        "webhook_url": None,
        "owner": None,
        "cron_expression": "0 2 * * *",
        "timezone": "Europe/Amsterdam",
        "dst_policy": "once",
        "enabled": True,
        "overlap": "skip",
        "misfire": "run_once",
        "misfire_limit": 100,
        "jitter_seconds": 0,
        "calendar_ids": [],
        "starts_at": None,
        "ends_at": None,
        "last_run_at": "2026-02-01T01:00:00.310022Z",
        "next_run_at": _NEXT,
        "last_job_id": _JOB,
        "in_words": "Every day at 02:00",
        "declared": False,
        "effective_from": _MADE,
        "created_at": _MADE,
        "updated_at": _MADE,
        "created_by": "token:shop",
    },
    Toggle: {"enabled": False},
    FiringDocument: {
        "id": "0199a1c3-5a11-7e02-9c44-0d5f6b7a8c19",
        "moment": _RAN,
        "until": None,
        "decision": "fired",
        "reason": None,
        "job_id": _JOB,
        "late_seconds": 0.310022,
        "by": None,
        "decided_at": "2026-02-01T01:00:00.310022Z",
    },
    PreviewDocument: {"next": [_NEXT, _LATER], "in_words": "Every day at 02:00"},
    BackfillDocument: {
        "total": 2,
        "counts": {"fired": 1, "ran_before": 1},
        "items": [
            {"moment": _RAN, "decision": "ran_before", "job_id": _JOB, "reason": None},
            {
                "moment": _NEXT,
                "decision": "fired",
                "job_id": "0199a1c0-8a10-7f02-8c55-6a1be3d4f720",
                "reason": None,
            },
        ],
    },
    TimelineDocument: {
        "start": _MADE,
        "end": "2026-02-01T12:00:00.124551Z",
        "complete_until": "2026-02-01T12:00:00.124551Z",
        "items": [
            {
                "moment": _RAN,
                "schedule_id": _ID,
                "name": "nightly",
                "type": "diagnostics.echo",
                "timezone": "Europe/Amsterdam",
                "owner": None,
            }
        ],
    },
    NewCalendar: _HOLIDAYS,
    WholeCalendar: _HOLIDAYS,
    CalendarChange: {"dates": ["2026-04-06", "2026-05-25"]},
    CalendarDocument: {
        "id": "0199a1c2-0b7d-7d3e-8f10-4c2a9e6d5b71",
        **{name: _HOLIDAYS[name] for name in ("name", "description")},
        "owner": None,
        **{name: _HOLIDAYS[name] for name in ("dates", "yearly", "weekdays")},
        "created_at": _MADE,
        "updated_at": _MADE,
        "created_by": "user:eve",
    },
}
