"""Words and examples about workflows for the published schema."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from jobs.api import describing

FILTERS = [
    *describing.PAGES,
    OpenApiParameter("owner", str),
    OpenApiParameter("created_after", OpenApiTypes.DATETIME),
    OpenApiParameter("created_before", OpenApiTypes.DATETIME),
]
CREATION = [describing.CREATION[0], describing.WHERE]
NEW_WORKFLOWS = [
    OpenApiExample(
        "One after the other, with a result handed on",
        {
            "name": "a greeting",
            "steps": {
                "fetch": {"type": "diagnostics.echo", "payload": {"names": ["Ann", "Bob"]}},
                "greet": {
                    "type": "diagnostics.echo",
                    "payload": {"whom": {"$result": "fetch.names.0"}},
                    "after": ["fetch"],
                },
                "clean": {
                    "type": "diagnostics.echo",
                    "payload": {},
                    "after": [{"step": "greet", "on_failure": "run"}],
                },
            },
        },
        request_only=True,
    ),
]
