"""Words and examples for the published schema."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from accounts.api.describing import IDEMPOTENCY_KEY
from accounts.api.paging import DEFAULT_LIMIT, MAX_LIMIT
from jobs.api.documents import JobDocument
from jobs.priorities import Level
from jobs.states import Status

PAGES = [
    OpenApiParameter(
        "limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        description="How many items a page has at the most.",
    ),
    OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
]  # fmt: skip
FILTERS = [
    *PAGES,
    OpenApiParameter(
        "status", str, many=True, enum=Status.values, description="Repeatable: any of them."
    ),
    OpenApiParameter("type", str, description="The name of a job type."),
    OpenApiParameter("queue", str, description="The name of a queue."),
    OpenApiParameter(
        "level", str, pattern=f"^({'|'.join(Level)}|0?[0-9]{{1,2}}|100)$",
        description="A level, or a priority 0 to 100 in it.",
    ),
    OpenApiParameter("batch_id", OpenApiTypes.UUID),
    OpenApiParameter("workflow_id", OpenApiTypes.UUID),
    OpenApiParameter("schedule_id", OpenApiTypes.UUID),
    OpenApiParameter("owner", str),
    OpenApiParameter("label", str, pattern="^[^:]+:", description="key:value"),
    OpenApiParameter("dead", bool, description="Failed and not discarded."),
    OpenApiParameter("created_after", OpenApiTypes.DATETIME),
    OpenApiParameter("created_before", OpenApiTypes.DATETIME),
]  # fmt: skip
WHERE = OpenApiParameter(
    "Location", str, OpenApiParameter.HEADER, response=[201], description="Where it is from now on."
)
CREATION = [
    IDEMPOTENCY_KEY,
    OpenApiParameter(
        "Prefer", str, OpenApiParameter.HEADER,
        description="`wait=N`: answer when the job has ended, after N (at most 30) seconds.",
    ),
    OpenApiParameter(
        "Preference-Applied", str, OpenApiParameter.HEADER, response=[200, 201],
        description="The `Prefer` that was followed; without it the job may not have ended.",
    ),
    WHERE,
]  # fmt: skip

MAY_BE_EMPTY = {"x-optional-body": True}  # of calls that take no body as an empty one

NEW_JOBS = [
    OpenApiExample(
        "The least",
        {"type": "diagnostics.echo", "payload": {"hello": "world"}},
        request_only=True,
    ),
    OpenApiExample(
        "Later, high, once",
        {
            "type": "diagnostics.sleep",
            "payload": {"seconds": 3},
            "priority": "high",
            "delay_seconds": 60,
            "unique_key": "nightly",
            "labels": {"course": "7"},
            "retry_backoff": {"base_seconds": 30, "factor": 2, "max_seconds": 600, "jitter": 0.1},
            "webhook_url": "https://shop.example/hooks/jobs",
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
