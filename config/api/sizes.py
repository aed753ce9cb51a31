"""How large the body of a call may be: those that take many jobs at once take more."""

from __future__ import annotations

import re

from django.conf import settings

_TAKES_MANY = re.compile("/api/v1/(batches|workflows)")


def takes_many(path: str) -> bool:
    return _TAKES_MANY.fullmatch(path) is not None


def longest_body(path: str) -> int:
    """In bytes."""
    return int(settings.API_MAX_BATCH_BYTES if takes_many(path) else settings.API_MAX_BODY_BYTES)
