"""What is answered where a secret was replaced."""

from __future__ import annotations

from datetime import datetime

from rest_framework import status

from accounts.api.idempotency import Answer
from accounts.api.moment import shown


def secret_answer(secret: str, former_until: datetime | None) -> Answer:
    """The secret is in the first answer only."""
    return Answer(
        status=status.HTTP_200_OK,
        body={"secret": None, "expires_at": shown(former_until)},
        shown_once={"secret": secret},
    )
