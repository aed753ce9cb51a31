"""Expressions of every form that the grammar has."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.scheduling.cron.oracle import MONTHS, WEEKDAYS


def _plain(least: int, most: int, steps: int) -> st.SearchStrategy[str]:
    number = st.integers(least, most)
    step = st.integers(1, steps).map(lambda n: f"/{n}")
    span = st.tuples(number, number).map(lambda ends: f"{min(ends)}-{max(ends)}")
    return st.one_of(
        number.map(str),
        span,
        st.builds(str.__add__, span, step),
        st.builds(str.__add__, number.map(str), step),
    )


def _starred(steps: int) -> st.SearchStrategy[str]:
    return st.just("*") | st.integers(1, steps).map(lambda n: f"*/{n}")


def _field(
    least: int, most: int, steps: int, *more: st.SearchStrategy[str]
) -> st.SearchStrategy[str]:
    term = st.one_of(_plain(least, most, steps), *more)
    some = st.lists(term | _starred(steps), min_size=1, max_size=3).map(",".join)
    return st.one_of(st.just("*"), _starred(steps), term, some)


minutes = _field(0, 59, 60)
hours = _field(0, 23, 24)
days = _field(1, 31, 31, st.sampled_from(["L", "LW"]))
months = _field(1, 12, 12, st.sampled_from(MONTHS[1:]), st.sampled_from(["jan-mar", "OCT-DEC"]))
_weekday = st.sampled_from(WEEKDAYS) | st.integers(0, 7).map(str)
weekdays = _field(
    0,
    7,
    7,
    _weekday,
    st.just("Mon-Fri"),
    st.builds("{}#{}".format, _weekday, st.integers(1, 5)),
    st.builds("{}L".format, _weekday),
)

crons = st.tuples(minutes, hours, days, months, weekdays).map(" ".join)

# As above, but any day of any month or nearly, so that they run in a stretch of days.
frequent = st.tuples(
    minutes,
    st.sampled_from(["*", "0-4", "1,2,3", "2", "0,23", "*/2"]) | hours,
    st.just("*") | days,
    st.just("*"),
    st.just("*") | weekdays,
).map(" ".join)
