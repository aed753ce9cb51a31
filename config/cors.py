"""Refuses a start with origins that no browser would ever send.

An `Origin` is compared letter by letter, so one that is written in another way lets nobody in and
says nothing of it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from config.addresses import origin
from config.checks import TAG

_DEFAULT_PORTS = {"http": 80, "https": 443}  # browsers leave them out


@register(TAG)
def origins_can_match(**_: Any) -> list[CheckMessage]:
    """One error for each of CORS_ALLOWED_ORIGINS that is none."""
    return [_refusal(text) for text in settings.CORS_ALLOWED_ORIGINS if not is_origin(text)]


def is_origin(text: str) -> bool:
    """Whether a browser sends this for some page: `https://app.example`, `http://localhost:3000`."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    if not parts.scheme or not parts.hostname or "*" in text or "@" in text:
        return False
    plain = text.isascii() and text == origin(text).lower() and not parts.netloc.endswith(":")
    return plain and port != _DEFAULT_PORTS.get(parts.scheme, -1)


def _refusal(text: str) -> Error:
    return Error(
        f"CORS_ALLOWED_ORIGINS has {text!r}, which no browser sends as an Origin: its pages would "
        "not be let in.",
        hint="Write scheme, host and port alone, in lower case, without a path or a final slash "
        "(https://app.example,http://localhost:3000), and name each site: * is not understood.",
        id="celeriac.E011",
    )
