"""Any expression, zone, policy and start: the moments are those that the rule's words give."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, time, timedelta
from itertools import islice, pairwise, product

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scheduling.cron import CronError, fields, parse, zone_of
from tests.scheduling.cron import oracle, strategies
from tests.scheduling.cron.making import ANCHOR, down_to, timing, until, utc
from tests.scheduling.cron.nights import NIGHTS, POLICIES

MARGIN = timedelta(hours=30)
SECOND = timedelta(seconds=1)

nights = st.sampled_from([NIGHTS[n] for n in (2, 3, 10, 11, 13, 18, 19, 23, 27, 29, 32, 33, 34)])
policies = st.sampled_from(POLICIES)
zones = st.sampled_from(sorted({zone for zone, _, _ in NIGHTS}))


def parses(text: str) -> bool:
    try:
        parse(text)
    except CronError:
        return False
    return True


@settings(deadline=None, max_examples=200)
@given(strategies.frequent, nights, policies, st.integers(0, 3600 * 40))
def test_moments_are_those_of_a_look_at_every_minute(
    cron: str, night: tuple[str, str, int], policy: str, seconds: int
) -> None:
    assume(parses(cron))
    zone, change, _ = night
    begin, end = utc(change) - MARGIN, utc(change) + MARGIN
    start = begin + timedelta(seconds=seconds)
    found = timing(cron, zone, policy)
    expected = oracle.moments(cron, zone_of(zone), policy, begin, end)

    assert until(found.after(start), end) == [moment for moment in expected if moment > start]
    assert down_to(found.before(start), begin) == [m for m in expected[::-1] if m < start]


@settings(deadline=None, max_examples=100)
@given(
    strategies.crons,
    zones,
    policies,
    st.datetimes(utc("1975-01-01").replace(tzinfo=None)),
    st.integers(1, 40),
)
def test_backwards_is_forwards_turned_round(
    cron: str, zone: str, policy: str, start: object, count: int
) -> None:
    assume(parses(cron))
    found = timing(cron, zone, policy)
    moments = list(islice(found.after(utc(str(start))), count))
    assume(moments)

    assert all(earlier < later for earlier, later in pairwise(moments))
    assert down_to(found.before(moments[-1] + SECOND), moments[0]) == moments[::-1]


@given(st.integers(60, 316_224_000), st.integers(-(10**10), 10**10), st.integers(0, 1))
def test_periods_are_counted_from_their_anchor(seconds: int, away: int, odd: int) -> None:
    anchor, period = ANCHOR + timedelta(microseconds=odd), timedelta(seconds=seconds)
    every = timing(f"@every {seconds}s", anchor=anchor)
    moment = ANCHOR + timedelta(seconds=away)
    first, second = islice(every.after(moment), 2)

    assert first > moment
    assert first == anchor or (first > anchor and first - period <= moment)
    assert (first - anchor) % period == timedelta(0)
    assert second - first == period
    assert list(islice(every.before(second), 1)) == [first]
    assert list(islice(every.before(first), 1)) == ([first - period] if first > anchor else [])


days_only = st.tuples(strategies.days, strategies.months, strategies.weekdays).map(" ".join)
sparse = st.tuples(
    st.sampled_from(["29", "30", "31", "30,31", "*/28", "*/29", "*/30", "*/31", "L", "LW", "8-28"]),
    st.sampled_from(["2", "4,6", "2,11", "feb", "2-4", "*"]),
    st.sampled_from(["*", "MON#5", "1#1", "*/7", "5L", "MON#5,TUE#5", "*/6,3#5"]),
).map(" ".join)


@settings(deadline=None, max_examples=60)
@given(days_only | sparse)
def test_what_is_refused_as_never_running_has_no_day_in_28_years(days: str) -> None:
    fits = oracle.matcher(f"0 0 {days}")
    day, found = utc("2001-01-01").replace(tzinfo=None), False
    while day.year < 2029 and not found:
        found = fits(day)
        day += timedelta(days=1)

    assert parses(f"0 0 {days}") == found


@settings(deadline=None, max_examples=60)
@given(days_only | sparse)
def test_checks_and_words_know_the_same_days_as_a_look_at_every_day(days: str) -> None:
    cron = f"0 0 {days}"
    matches, read = oracle.matcher(cron), fields.read(cron.split())
    for year, month in product((2024, 2025, 2026), range(1, 13)):
        length = monthrange(year, month)[1]
        for day in (date(year, month, n) for n in range(1, length + 1)):
            fits = month in read.months and read.fits(day.day, day.isoweekday() % 7, length)
            assert fits == matches(datetime.combine(day, time())), day
