"""Over which time the charts of the first page look back: it stands in the address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest

from jobs.admin.looking import Choice, choice


@dataclass(frozen=True, kw_only=True)
class Span:
    """A time to look back over, and how much of it one bar holds."""

    name: str
    span: timedelta
    step: timedelta


SPANS = (
    Span(name="1h", span=timedelta(hours=1), step=timedelta(minutes=1)),
    Span(name="6h", span=timedelta(hours=6), step=timedelta(minutes=5)),
    Span(name="24h", span=timedelta(hours=24), step=timedelta(minutes=20)),
    Span(name="7d", span=timedelta(days=7), step=timedelta(hours=2)),
)


def chosen_span(request: HttpRequest) -> Span:
    asked = request.GET.get("span")
    return next((span for span in SPANS if span.name == asked), SPANS[0])


def span_choices(request: HttpRequest, chosen: Span) -> Sequence[Choice]:
    return [choice(request, "span", span.name, span.name, span == chosen) for span in SPANS]
