"""A rate: so many starts in any stretch of time of a given length. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
MOST_STARTS = 10_000  # each is counted one by one

_FORM = re.compile(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,4})?([smhd])")


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `starts` in any `seconds`: a sliding window, not one that begins with the clock's."""

    starts: int
    seconds: int

    def __str__(self) -> str:
        name, unit = max(
            ((name, unit) for name, unit in UNITS.items() if self.seconds % unit == 0),
            key=lambda one: one[1],
        )
        number = self.seconds // unit
        return f"{self.starts}/{number if number > 1 else ''}{name}"


def parse(text: str) -> Rate:
    """From `100/m`, `5/s`, `1000/2h`. Raises ValueError with a message for people."""
    found = _FORM.fullmatch(text.strip())
    if not found:
        raise ValueError("a rate is of the form 100/m: starts, a slash, and s, m, h or d")
    starts, number, unit = found.groups()
    rate = Rate(starts=int(starts), seconds=int(number or 1) * UNITS[unit])
    if rate.starts > MOST_STARTS:
        raise ValueError(f"a rate has at most {MOST_STARTS:,} starts; take a shorter time")
    if rate.seconds > UNITS["d"]:
        raise ValueError("a rate is of a day at most")
    return rate


def parse_or_none(text: str | None) -> Rate | None:
    """The same, where an empty text is no rate."""
    return parse(text) if text else None
