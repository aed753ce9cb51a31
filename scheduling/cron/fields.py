"""The five fields of an expression: their grammar and what they allow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from scheduling.cron.errors import CronError, shown

LAST = -1  # of `nth_weekdays`: the last one in its month


@dataclass(frozen=True, kw_only=True, slots=True)
class Fields:
    """What each field allows. Weekdays count from Sunday, 0, to Saturday, 6."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    last_day: bool  # L
    last_weekday: bool  # LW
    months: frozenset[int]
    weekdays: frozenset[int]
    nth_weekdays: frozenset[tuple[int, int]]  # MON#2 is (1, 2), 5L is (5, LAST)
    both_days: bool  # a day has to fit day of month and day of week; else one of them
    text: str  # the fields again, in the plain form that CronSim reads as we do

    def fits(self, day: int, weekday: int, length: int) -> bool:
        """Whether the jobs run on that day of a month that is `length` days long."""
        by_day = self._by_day(day, weekday, length)
        by_weekday = self._by_weekday(day, weekday, length)
        return by_day and by_weekday if self.both_days else by_day or by_weekday

    def _by_day(self, day: int, weekday: int, length: int) -> bool:
        if day in self.days or (self.last_day and day == length):
            return True
        left = length - day
        return self.last_weekday and (
            (left == 0 and 1 <= weekday <= 5) or (0 < left <= 2 and weekday == 5)
        )

    def _by_weekday(self, day: int, weekday: int, length: int) -> bool:
        return (
            weekday in self.weekdays
            or (weekday, (day + 6) // 7) in self.nth_weekdays
            or ((weekday, LAST) in self.nth_weekdays and day + 7 > length)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kind:
    """One of the five places: how it is called, and the numbers and names it takes."""

    name: str
    place: int
    least: int
    most: int
    names: tuple[str, ...] = ()
    first_name: int = 0
    steps: int  # the longest step: as many as there are different values

    def error(self, what: str) -> CronError:
        return CronError(f"{self.name} (field {self.place}): {what}")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Item:
    """One item of a field's list: numbers, or one of the marks L, LW, 1#2 and 5L."""

    first: int
    last: int
    step: int = 1
    starred: bool = False
    mark: str = ""

    @property
    def values(self) -> range:
        return range(0) if self.mark else range(self.first, self.last + 1, self.step)

    @property
    def text(self) -> str:
        step = f"/{self.step}" if self.step > 1 else ""
        if self.mark:
            return self.mark
        if self.starred:
            return f"*{step}"
        return f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}{step}"


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

_MINUTE = _Kind(name="minute", place=1, least=0, most=59, steps=60)
_HOUR = _Kind(name="hour", place=2, least=0, most=23, steps=24)
_DAY = _Kind(name="day of month", place=3, least=1, most=31, steps=31)
_MONTH = _Kind(name="month", place=4, least=1, most=12, steps=12, names=_MONTHS, first_name=1)
_WEEKDAY = _Kind(name="day of week", place=5, least=0, most=7, steps=7, names=_WEEKDAYS)

KINDS = (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY)


def read(parts: Iterable[str]) -> Fields:
    """The five fields, or CronError for the first that is wrong."""
    minute, hour, day, month, weekday = [
        _items(kind, part) for kind, part in zip(KINDS, parts, strict=True)
    ]
    day_marks = {item.mark for item in day}
    return Fields(
        minutes=_values(minute),
        hours=_values(hour),
        days=_values(day),
        last_day="L" in day_marks,
        last_weekday="LW" in day_marks,
        months=_values(month),
        weekdays=frozenset(value % 7 for value in _values(weekday)),
        nth_weekdays=frozenset(_nth(item.mark) for item in weekday if item.mark),
        both_days=day[0].starred or weekday[0].starred,
        text=" ".join(
            ",".join(item.text for item in items) for items in (minute, hour, day, month, weekday)
        ),
    )


def _values(items: list[_Item]) -> frozenset[int]:
    return frozenset(value for item in items for value in item.values)


def _nth(mark: str) -> tuple[int, int]:
    weekday, _, nth = mark.partition("#")
    return int(weekday.rstrip("L")) % 7, int(nth) if nth else LAST


def _items(kind: _Kind, part: str) -> list[_Item]:
    return [_item(kind, term) for term in part.split(",")]


def _item(kind: _Kind, term: str) -> _Item:
    if not term:
        raise kind.error("an item of its list is empty")
    if (mark := _mark(kind, term)) is not None:
        return mark
    base, slash, step = term.partition("/")
    first, last = _range(kind, base, open_ended=bool(slash))
    return _Item(
        first=first, last=last, step=_step(kind, step) if slash else 1, starred=base == "*"
    )


def _mark(kind: _Kind, term: str) -> _Item | None:
    """L, LW, 1#2 or 5L where the field takes them; None where the term has no such mark."""
    if kind is _DAY and term.upper() in ("L", "LW"):
        return _Item(first=0, last=0, mark=term.upper())
    if kind is _WEEKDAY and "#" in term:
        weekday, _, nth = term.partition("#")
        if nth not in ("1", "2", "3", "4", "5"):
            raise kind.error(f"{shown(term)} has to end in #1 to #5")
        return _Item(first=0, last=0, mark=f"{_number(kind, weekday)}#{nth}")
    if kind is _WEEKDAY and len(term) > 1 and term.upper().endswith("L"):
        return _Item(first=0, last=0, mark=f"{_number(kind, term[:-1])}L")
    return None


def _range(kind: _Kind, base: str, *, open_ended: bool) -> tuple[int, int]:
    if base == "*":
        return kind.least, kind.least + kind.steps - 1
    start, dash, stop = base.partition("-")
    first = _number(kind, start)
    if not dash:
        return first, kind.most if open_ended else first
    last = _number(kind, stop)
    if last < first:
        raise kind.error(f"{shown(base)} runs backwards{_sunday(kind, stop)}")
    return first, last


def _sunday(kind: _Kind, stop: str) -> str:
    return (
        "; Sunday is 7 at the end of a range"
        if kind is _WEEKDAY and stop.upper() in ("SUN", "0")
        else ""
    )


def _step(kind: _Kind, text: str) -> int:
    if not text.isdigit():
        raise kind.error(f"the step {shown(text)!r} is not a number")
    step = int(text)
    if not 1 <= step <= kind.steps:
        raise kind.error(f"the step {shown(text)} is not between 1 and {kind.steps}")
    return step


def _number(kind: _Kind, text: str) -> int:
    if text.upper() in kind.names:
        return kind.names.index(text.upper()) + kind.first_name
    if not text.isdigit():
        names = f" or {kind.names[0]} to {kind.names[-1]}" if kind.names else ""
        what = "a number is missing" if not text else f"{shown(text)!r} is not a number{names}"
        raise kind.error(what)
    number = int(text)
    if not kind.least <= number <= kind.most:
        raise kind.error(f"{shown(text)} is not between {kind.least} and {kind.most}")
    return number
