"""Words and examples for the published schema."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from jobs.api.documents import JobDocument
from jobs.priorities import Level
from jobs.states import Status

PAGES = [
    OpenApiParameter("limit", int, description="1 to 200, default 50."),
    OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
]
FILTERS = [
    *PAGES,
    OpenApiParameter(
        "status", str, many=True, enum=Status.values, description="Repeatable: any of them."
    ),
    OpenApiParameter("type", str),
    OpenApiParameter("queue", str),
    OpenApiParameter(
        "level", str, description=f"One of {', '.join(Level)}, or a priority 0 to 100 in it."
    ),
    OpenApiParameter("batch_id", OpenApiTypes.UUID),
    OpenApiParameter("workflow_id", OpenApiTypes.UUID),
    OpenApiParameter("schedule_id", OpenApiTypes.UUID),
    OpenApiParameter("owner", str),
    OpenApiParameter("label", str, description="key:value"),
    OpenApiParameter("dead", bool, description="Failed and not discarded."),
    OpenApiParameter("created_after", OpenApiTypes.DATETIME),
    OpenApiParameter("created_before", OpenApiTypes.DATETIME),
]
CREATION = [
    OpenApiParameter(
        "Idempotency-Key", str, OpenApiParameter.HEADER,
        description="1 to 255 visible ASCII characters. Within 24 hours the same key with the "
        "same body gives the first answer again, with `Idempotent-Replay: true`.",
    ),
    OpenApiParameter(
        "Prefer", str, OpenApiParameter.HEADER,
        description="`wait=N`: answer when the job has ended, after N (at most 30) seconds.",
    ),
]  # fmt: skip

NEW_JOBS = [
    OpenApiExample(
        "The least",
        {"type": "diagnostics.echo", "payload": {"hello": "world"}},
        request_only=True,
    ),
    OpenApiExample(
        "Later, urgent, once",
        {
            "type": "diagnostics.sleep",
            "payload": {"seconds": 3},
            "priority": "urgent",
            "delay_seconds": 60,
            "unique_key": "nightly",
            "labels": {"course": "7"},
            "retry_backoff": {"base_seconds": 30, "factor": 2, "max_seconds": 600, "jitter": 0.1},
        },
        request_only=True,
    ),
]
EDITS = [
    OpenApiExample(
        "Sooner, and more urgent", {"priority": "high", "run_at": None}, request_only=True
    ),
    OpenApiExample("Another payload", {"payload": {"seconds": 5}}, request_only=True),
]
BOOSTS = [OpenApiExample("By 20", {"boost": 20}, request_only=True)]

CREATED = OpenApiResponse(JobDocument, "The new job.")
DEDUPLICATED = OpenApiResponse(
    JobDocument,
    "The job that holds the unique key, with `deduplicated: true`; and with `replaced: true` where "
    "it waited and took what this request says.",
)
