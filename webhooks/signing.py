"""The headers by which a receiver knows who sent a request and that nobody changed it: Standard
Webhooks (https://www.standardwebhooks.com), version v1, HMAC-SHA256 over `id.timestamp.body`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from standardwebhooks.webhooks import Webhook


def signed_headers(
    event_id: UUID, at: datetime, body: str, secrets: Iterable[str]
) -> dict[str, str]:
    """One signature by each secret, in their order. `at` is when this very request is made."""
    name = str(event_id)
    signatures = [Webhook(secret).sign(name, at, body) for secret in secrets]
    return {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
