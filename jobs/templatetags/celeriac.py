"""How figures and times read on the pages of the admin."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone

from jobs import wording

register = template.Library()


@register.filter
def duration(seconds: float | None) -> str:
    return "–" if seconds is None else wording.duration(seconds)


@register.filter
def ago(at: datetime | None) -> str:
    return "–" if at is None else wording.ago(at, timezone.now())


@register.filter
def figure(value: float | None) -> str:
    return "–" if value is None else wording.figure(value)


@register.filter
def unlocalised(value: float) -> str:
    """A number for CSS and SVG, which know no language."""
    return f"{value:g}"
