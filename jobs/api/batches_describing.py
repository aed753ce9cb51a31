"""Words and examples about batches for the published schema."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from jobs.api import describing
from jobs.batches import BatchStatus

FILTERS = [
    *describing.PAGES,
    OpenApiParameter(
        "status", str, many=True, enum=BatchStatus.values, description="Repeatable: any of them."
    ),
    OpenApiParameter("owner", str),
    OpenApiParameter("created_after", OpenApiTypes.DATETIME),
    OpenApiParameter("created_before", OpenApiTypes.DATETIME),
]
CREATION = [describing.CREATION[0], describing.WHERE]

NEW_BATCHES = [
    OpenApiExample(
        "One type, many payloads",
        {
            "name": "a class",
            "type": "diagnostics.echo",
            "items": [{"pupil": 1}, {"pupil": 2}],
            "priority": "high",
            "on_complete": {"type": "diagnostics.echo", "payload": {"all": "done"}},
        },
        request_only=True,
    ),
    OpenApiExample(
        "Jobs of any types, all or none",
        {
            "jobs": [
                {"type": "diagnostics.echo", "payload": {"n": 1}},
                {"type": "diagnostics.sleep", "payload": {"seconds": 1}, "priority": "low"},
            ],
            "atomic": True,
        },
        request_only=True,
    ),
]
