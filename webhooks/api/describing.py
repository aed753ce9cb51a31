"""Words and examples about webhooks for the published schema."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from accounts.api.describing import IDEMPOTENCY_KEY, PAGES
from jobs.api.describing import WHERE
from webhooks.policies import DELIVERED_EVENTS, DeliveryStatus

ENDPOINTS = [*PAGES, OpenApiParameter("enabled", bool)]
DELIVERIES = [
    *PAGES,
    OpenApiParameter("endpoint_id", OpenApiTypes.UUID, description="Also of one that was removed."),
    OpenApiParameter("job_id", OpenApiTypes.UUID, description="Those that tell of this job."),
    OpenApiParameter("event", str, enum=list(DELIVERED_EVENTS)),
    OpenApiParameter("status", str, enum=DeliveryStatus.values),
    OpenApiParameter("since", OpenApiTypes.DATETIME, description="Made then or later."),
    OpenApiParameter("until", OpenApiTypes.DATETIME, description="Made earlier."),
]
CREATION = [IDEMPOTENCY_KEY, WHERE]

NEW_ENDPOINTS = [
    OpenApiExample(
        "The least: it is told of everything",
        {"url": "https://shop.example/hooks/jobs"},
        request_only=True,
    ),
    OpenApiExample(
        "Some events of one queue, with a header and waits of its own",
        {
            "url": "https://shop.example/hooks/jobs",
            "description": "The shop's order desk.",
            "events": ["job.completed", "job.failed"],
            "queues": ["default"],
            "headers": {"X-Desk": "orders"},
            "timeout_seconds": 5,
            "retry": {"schedule": [5, 60, 600, 3600]},
        },
        request_only=True,
    ),
]
CHANGES = [
    OpenApiExample("Only failures", {"events": ["job.failed"]}, request_only=True),
    OpenApiExample("Off", {"enabled": False}, request_only=True),
]
REPLAYS = [
    OpenApiExample("What failed", {"since": "2026-01-31T12:00:00Z"}, request_only=True),
    OpenApiExample(
        "All of a day",
        {"since": "2026-01-31T00:00:00Z", "until": "2026-02-01T00:00:00Z", "status": "all"},
        request_only=True,
    ),
]
