"""Bar charts as the numbers that an SVG needs. Pure: no database, no HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

BAR = 10.0  # units of the drawing from one bar to the next
GAP = 2.0
HEIGHT = 100.0
_NICE = (1, 2, 5)


@dataclass(frozen=True, kw_only=True)
class Column:
    """What one bar is made of, from the bottom: (name of a series, its value)."""

    at: datetime
    parts: Sequence[tuple[str, float]]

    @property
    def total(self) -> float:
        return sum(value for _, value in self.parts)


@dataclass(frozen=True, kw_only=True)
class Part:
    name: str
    y: float
    height: float


@dataclass(frozen=True, kw_only=True)
class Bar:
    x: float
    width: float
    parts: Sequence[Part]
    column: Column


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Bars in a drawing of `width` by HEIGHT units; `top` is the value of its upper edge."""

    width: float
    top: float
    bars: Sequence[Bar]
    first: datetime | None
    last: datetime | None

    @property
    def is_empty(self) -> bool:
        return all(bar.column.total == 0 for bar in self.bars)


def chart(columns: Sequence[Column]) -> Chart:
    top = upper_edge(max((column.total for column in columns), default=0))
    return Chart(
        width=max(1, len(columns)) * BAR,
        top=top,
        bars=[_bar(number, column, top) for number, column in enumerate(columns)],
        first=columns[0].at if columns else None,
        last=columns[-1].at if columns else None,
    )


def upper_edge(highest: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50 … that holds `highest`."""
    power = 1.0
    while True:
        for nice in _NICE:
            if highest <= nice * power:
                return nice * power
        power *= 10


def _bar(number: int, column: Column, top: float) -> Bar:
    parts: list[Part] = []
    y = HEIGHT
    for name, value in column.parts:
        height = round(HEIGHT * value / top, 2)
        y = round(y - height, 2)
        if height:
            parts.append(Part(name=name, y=y, height=height))
    return Bar(x=number * BAR, width=BAR - GAP, parts=parts, column=column)
