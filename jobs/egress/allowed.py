"""What the operator lets calls reach although it is internal: exact hosts and ports."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from django.conf import settings

from jobs.egress.url import RefusedURL, host_and_port, parse_authority


def allowed() -> frozenset[str]:
    """The readable entries of EGRESS_ALLOW, each as `Target.host_and_port` writes it."""
    return _readable(tuple(settings.EGRESS_ALLOW))


def unreadable(entries: Iterable[str]) -> list[str]:
    """Those that name no host and port."""
    return [entry for entry in entries if _entry(entry) is None]


@lru_cache(maxsize=8)
def _readable(entries: tuple[str, ...]) -> frozenset[str]:
    return frozenset(entry for text in entries if (entry := _entry(text)) is not None)


def _entry(text: str) -> str | None:
    try:
        host, port = parse_authority(text.strip())
    except RefusedURL:
        return None
    return None if port is None else host_and_port(host, port)
