"""Words and examples about schedules for the published schema."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from accounts.api.describing import IDEMPOTENCY_KEY, PAGES
from jobs.api.describing import WHERE
from scheduling.policies import Decision
from scheduling.timeline import LONGEST_HOURS

FILTERS = [
    *PAGES,
    OpenApiParameter("type", str, description="The name of a job type."),
    OpenApiParameter("owner", str),
    OpenApiParameter("enabled", bool),
    OpenApiParameter("name", str, description="The one of exactly this name."),
    OpenApiParameter("calendar_id", OpenApiTypes.UUID, description="Those that name it."),
]
FIRINGS = [*PAGES, OpenApiParameter("decision", str, enum=Decision.values)]
CREATION = [IDEMPOTENCY_KEY, WHERE]
HOURS = OpenApiParameter(
    "hours", {"type": "integer", "minimum": 1, "maximum": LONGEST_HOURS, "default": 24}
)

NEW_SCHEDULES = [
    OpenApiExample(
        "The least",
        {"name": "nightly", "type": "diagnostics.echo", "cron_expression": "0 2 * * *"},
        request_only=True,
    ),
    OpenApiExample(
        "In a zone, never two at once, caught up with after an outage",
        {
            "name": "report",
            "type": "diagnostics.echo",
            "cron_expression": "0 9 * * MON-FRI",
            "timezone": "Europe/Amsterdam",
            "payload": {"course": 7},
            "priority": "high",
            "overlap": "skip",
            "misfire": "run_all",
            "misfire_limit": 10,
            "jitter_seconds": 60,
        },
        request_only=True,
    ),
]
CHANGES = [
    OpenApiExample("Another time", {"cron_expression": "30 3 * * *"}, request_only=True),
    OpenApiExample("Off", {"enabled": False}, request_only=True),
]
PREVIEWS = [
    OpenApiExample(
        "The next three",
        {"cron_expression": "0 2 * * *", "timezone": "Europe/Amsterdam", "count": 3},
        request_only=True,
    )
]
BACKFILLS = [
    OpenApiExample(
        "Only look",
        {"from": "2026-01-01T00:00:00Z", "to": "2026-01-08T00:00:00Z", "dry_run": True},
        request_only=True,
    )
]
