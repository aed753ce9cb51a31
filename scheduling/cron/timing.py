"""The moments of an expression in a time zone, by one rule about summer time.

The rule and its reason are in docs/decisions/0011-moments-by-wall-time.md.
"""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from scheduling.cron import walls
from scheduling.cron.expression import Expression

# The search begins within these, so that no offset leads out of time.
_FIRST = datetime(1, 1, 4, tzinfo=UTC)
_LAST = datetime(9999, 12, 28, tzinfo=UTC)
_PATIENCE = timedelta(days=50 * 366)

_Order = Callable[[datetime, datetime], bool]


class DstPolicy(StrEnum):
    """What becomes of times that the clocks leap over, and of those that they show twice."""

    ONCE = "once"
    SKIP = "skip"
    ALL = "all"


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """When an expression's moments are.

    `anchor`, in UTC, is the first moment of @every; the others are whole periods later. Of cron's
    moments it says nothing.
    """

    expression: Expression
    zone: ZoneInfo
    dst: DstPolicy
    anchor: datetime

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The moments later than an aware one, in UTC, ascending, each once.

        Ends with the year 9999, or where none comes for 50 years.
        """
        _check_aware(moment)
        if self.expression.period is not None:
            return self._periods_ahead(self.expression.period, moment)
        start, twice = self._start(moment)
        found = _in_order(self._showings(walls.ahead(self._cron, start - twice)), operator.lt)
        return _each_once(found, moment, operator.lt)

    def before(self, moment: datetime) -> Iterator[datetime]:
        """The moments earlier than an aware one, in UTC, descending: `after`, backwards."""
        _check_aware(moment)
        if self.expression.period is not None:
            return self._periods_back(self.expression.period, moment)
        start, twice = self._start(moment)
        showings = self._showings(walls.back(self._cron, start + twice))
        found = _in_order((instants[::-1] for instants in showings), operator.gt)
        return _each_once(found, moment, operator.gt)

    def _start(self, moment: datetime) -> tuple[datetime, timedelta]:
        """What the clocks show then, and how long the stretch is that they show twice, if so."""
        near = min(max(moment, _FIRST), _LAST)
        return walls.on_the_wall(near, self.zone), walls.overlap(near, self.zone)

    @property
    def _cron(self) -> str:
        assert self.expression.cron is not None
        return self.expression.cron

    def _showings(self, times: Iterator[datetime]) -> Iterator[tuple[datetime, ...]]:
        """Of each wall time its instants, until time ends or there were none for 50 years."""
        heard: datetime | None = None
        try:
            for time in times:
                heard = heard or time
                instants = self._instants(time)
                if instants:
                    heard = time
                    yield instants
                elif abs(time - heard) > _PATIENCE:
                    return
        except OverflowError:
            return

    def _instants(self, time: datetime) -> tuple[datetime, ...]:
        shown = walls.showing(time, self.zone)
        if self.dst is DstPolicy.ALL or not self._clock_bound:
            return shown
        if not shown and self.dst is DstPolicy.ONCE:
            return (walls.end_of_gap(time, self.zone),)
        return shown[:1]

    @property
    def _clock_bound(self) -> bool:
        """Whether it names hours and minutes of the clock, as Debian's cron tells; else it runs
        by real time."""
        minute, hour, *_ = self._cron.split()
        return not (minute.startswith("*") or hour.startswith("*"))

    def _periods_ahead(self, period: timedelta, moment: datetime) -> Iterator[datetime]:
        count = max((moment - self.anchor) // period + 1, 0)
        try:
            while True:
                yield self.anchor + count * period
                count += 1
        except OverflowError:
            return

    def _periods_back(self, period: timedelta, moment: datetime) -> Iterator[datetime]:
        count = -((self.anchor - moment) // period) - 1
        while count >= 0:
            yield self.anchor + count * period
            count -= 1


def _check_aware(moment: datetime) -> None:
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")


def _in_order(groups: Iterable[tuple[datetime, ...]], sooner: _Order) -> Iterator[datetime]:
    """One by one; of times shown twice in a row the second showings wait for all first ones."""
    held: deque[datetime] = deque()
    for first, *rest in groups:
        while held and sooner(held[0], first):
            yield held.popleft()
        yield first
        held.extend(rest)
    yield from held


def _each_once(moments: Iterable[datetime], last: datetime, sooner: _Order) -> Iterator[datetime]:
    """Those beyond `last`; several times that fall on one instant are one moment."""
    for moment in moments:
        if sooner(last, moment):
            yield moment
            last = moment
