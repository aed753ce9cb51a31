"""Words of the published schema that many calls share."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter

from accounts.api.paging import DEFAULT_LIMIT, MAX_LIMIT

PAGES = [
    OpenApiParameter(
        "limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        description="How many items a page has at the most.",
    ),
    OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
]  # fmt: skip
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$"},
    OpenApiParameter.HEADER,
    description="1 to 255 visible ASCII characters. Within 24 hours the same key with the "
    "same body gives the first answer again, with `Idempotent-Replay: true`.",
)  # fmt: skip
