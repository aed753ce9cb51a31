"""API tokens as lines of a terminal."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone

from accounts.models import ApiToken


def line(token: ApiToken) -> str:
    """`0199… ci of acme: jobs:read, jobs:write; owner eve; until 2026-03-01; last used never`"""
    whose = f"of {token.tenant}" if token.tenant else "of the platform"
    parts = [
        f"{token.pk.hex} {token.name} {whose}: {', '.join(token.scopes)}",
        *([f"owner {token.owner}"] if token.owner else []),
        _state(token),
        f"last used {_day(token.last_used_at) or 'never'}",
    ]
    return _plain("; ".join(parts))


def _state(token: ApiToken) -> str:
    if token.revoked_at:
        return f"revoked {_day(token.revoked_at)}"
    if token.expires_at is None:
        return "for ever"
    over = token.expires_at <= timezone.now()
    return f"{'expired' if over else 'until'} {_day(token.expires_at)}"


def _day(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}" if moment else ""


def _plain(text: str) -> str:
    """A name may hold what would drive the terminal."""
    return "".join(one if one.isprintable() else "?" for one in text)
