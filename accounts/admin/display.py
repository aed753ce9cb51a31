"""How the pages show a time, an id, a word."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil

NONE = "–"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def ago(moment: datetime | None, none: str = NONE) -> str:
    """How long ago, or how soon, with the exact time to read on hovering."""
    if moment is None:
        return none
    now = timezone.now()
    exact = moment.astimezone(timezone.get_default_timezone())
    return format_html(
        '<time datetime="{}" title="{}" class="cel-time">{}</time>',
        exact.isoformat(),
        f"{exact:%Y-%m-%d %H:%M:%S} UTC",
        _relative(moment, now),
    )


def _relative(moment: datetime, now: datetime) -> str:
    if abs(moment - now) < timedelta(minutes=1):
        return "just now" if moment <= now else "in a moment"
    if moment <= now:
        return f"{timesince(moment, now, depth=1)} ago"
    return f"in {timeuntil(moment, now, depth=1)}"


def mono(text: str) -> SafeString:
    """An id, as it is: in a fixed pitch, broken where the line ends."""
    return format_html('<code class="cel-mono">{}</code>', text)


def short(text: str) -> SafeString:
    """The end of a UUID, where ids made together differ, with the whole to read on hovering.
    Anything else as it is."""
    if not _UUID.fullmatch(text):
        return mono(text)
    return format_html('<code class="cel-mono cel-short" title="{}">…{}</code>', text, text[-12:])
