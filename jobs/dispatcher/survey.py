"""Where each job type begins among the ready jobs of one tenant in one queue. Pure.

Ready jobs that nobody can run now (no worker knows their type, or all who do are busy) may stand
in front of others by the hundred thousand. To read past them in every tick would cost the more,
the more they are. So their order is walked through once, a page a tick, and for each priority is
noted where each type begins; from then on the reading starts there.

Jobs that arrive later stand at the end of their priority, where the reading always looks. One that
comes back (a retry, a withdrawal) may stand in front of where its type was seen to begin: the walk
starts anew after each end, and finds it then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from jobs.priorities import HIGHEST, LOWEST

_BEFORE_ALL = (HIGHEST + 1, 0)


class Seen(NamedTuple):
    """All jobs of one type and priority in one page, those without a limit key."""

    priority: int
    type: str | None  # None: jobs with a limit key, which are found by that
    first: int
    last: int
    number: int


class Stretch(NamedTuple):
    """Ready jobs of these priorities; of a single one, those behind `after`."""

    highest: int
    lowest: int
    after: int | None


@dataclass
class _Band:
    """What is known of one priority."""

    until: int = 0  # the last job that was walked over, by its `seq`
    first: dict[str, int] = field(default_factory=dict)  # the first of each type among them
    passed: dict[str, int] = field(default_factory=dict)  # read since, without one of the type

    def start(self, types: Iterable[str]) -> int:
        """Nothing of these types stands up to here."""
        return min(
            max(self.first.get(each, self.until + 1) - 1, self.passed.get(each, 0))
            for each in types
        )


class Survey:
    def __init__(self) -> None:
        self._known: dict[int, _Band] = {}
        self._walked = self._known  # by this walk; the first one is of use while it goes on
        self.at = _BEFORE_ALL  # the walk goes on behind this (priority, seq)
        self.is_first = True
        self.is_needed = True  # since this walk began, the reading got stuck at the head

    def take_in(self, page: Iterable[Seen], *, is_last: bool) -> bool:
        """Note what the next page of the walk holds. Whether the survey is worth going on with."""
        for seen in page:
            band = self._walked.setdefault(seen.priority, _Band())
            if seen.type is not None:
                band.first.setdefault(seen.type, seen.first)
            band.until = max(band.until, seen.last)
            self.at = min(self.at, (seen.priority, seen.last), key=_order)
        return self._begin_anew() if is_last else True

    def _begin_anew(self) -> bool:
        was_needed = self.is_needed
        self._known, self._walked = self._walked, {}
        self.at, self.is_first, self.is_needed = _BEFORE_ALL, False, False
        return was_needed

    def stretches(self, floors: Mapping[str, int]) -> list[Stretch]:
        """Where jobs of these types may stand, in order; of each type only those of its floor and
        higher are asked for."""
        end = min(floors.values(), default=HIGHEST + 1)
        found, highest = [], HIGHEST
        for priority in sorted((each for each in self._known if each >= end), reverse=True):
            if highest > priority:
                found.append(Stretch(highest, priority + 1, None))
            if not (self.is_first and priority == self.at[0]):  # the walk is just there
                after = self._known[priority].start(_types_at(priority, floors))
                found.append(Stretch(priority, priority, after))
            highest = priority - 1
        if highest >= end:
            found.append(Stretch(highest, max(end, LOWEST), None))
        return found

    def pass_over(self, priority: int, seq: int, floors: Mapping[str, int]) -> None:
        """The reading found none of these types up to this job."""
        band = self._known[priority]
        for each in _types_at(priority, floors):
            band.passed[each] = max(seq, band.passed.get(each, 0))


def _types_at(priority: int, floors: Mapping[str, int]) -> list[str]:
    return [job_type for job_type, floor in floors.items() if floor <= priority]


def _order(place: tuple[int, int]) -> tuple[int, int]:
    priority, seq = place
    return (priority, -seq)
