"""The two charts of the first page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from config.admin.charts import Chart, Column, chart
from config.admin.choices import Span
from jobs.priorities import Level
from jobs.stats import Whose, series_of
from jobs.stats.levels import levels_of


@dataclass(frozen=True, kw_only=True)
class Card:
    """`series` are the names of the parts, from the bottom; `empty` is shown without any bar."""

    title: str
    series: Sequence[str]
    unit: str
    chart: Chart
    empty: str


def throughput_card(whose: Whose, span: Span) -> Card:
    completed, failed = (
        series_of(whose, metric, span=span.span, step=span.step).points
        for metric in ("completed", "failures")
    )
    columns = [
        Column(at=good.at, parts=[("completed", good.value or 0), ("failed", bad.value or 0)])
        for good, bad in zip(completed, failed, strict=True)
    ]
    return Card(
        title="Jobs that ended",
        series=["completed", "failed"],
        unit=f"jobs in {_words(span)}",
        chart=chart(columns),
        empty="No job ended in this time.",
    )


def depth_card(whose: Whose, span: Span) -> Card:
    ascending = tuple(reversed(Level))
    columns = [
        Column(at=point.at, parts=[(level.value, point.waiting[level]) for level in ascending])
        for point in levels_of(whose, span=span.span, step=span.step)
    ]
    return Card(
        title="Jobs that waited",
        series=[level.value for level in ascending],
        unit="jobs",
        chart=chart(columns),
        empty="Nothing waited in this time.",
    )


def _words(span: Span) -> str:
    minutes = span.step.total_seconds() / 60
    return f"{minutes:.0f} min" if minutes < 60 else f"{minutes / 60:.0f} h"
