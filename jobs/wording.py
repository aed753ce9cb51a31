"""Moments, lengths of time and numbers in words for people: on pages and on the terminal. Pure."""

from __future__ import annotations

from datetime import datetime

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def span(seconds: float) -> str:
    """A length of time in one unit, two where they say more: `3 d 4 h`."""
    rest = int(seconds)
    for position, (size, unit) in enumerate(_UNITS):
        if rest >= size:
            return f"{rest // size} {unit}{_below(rest % size, position + 1)}"
    return "0 s"


def _below(rest: int, position: int) -> str:
    if position == len(_UNITS) or rest < _UNITS[position][0]:
        return ""
    size, unit = _UNITS[position]
    return f" {rest // size} {unit}"


def roughly(seconds: float) -> str:
    """A length of time in the largest unit that fits."""
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), _UNITS[-1])
    return f"{int(seconds // size)} {unit}"


def duration(seconds: float) -> str:
    """How long something took: `12 ms`, `3.4 s`, `2 min 5 s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else span(seconds)


def ago(at: datetime, now: datetime) -> str:
    """How long ago, roughly, or how soon."""
    seconds = (now - at).total_seconds()
    if abs(seconds) < 1:
        return "just now"
    return f"{roughly(seconds)} ago" if seconds > 0 else f"in {span(-seconds)}"


def figure(value: float) -> str:
    """A number as people write it: thousands apart, few decimals."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.1f}" if value >= 1 else f"{value:.2g}"
