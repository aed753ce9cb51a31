"""Leap days, ends of months, day of month or day of week: years of days, and far ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice

import pytest

from tests.scheduling.cron import oracle
from tests.scheduling.cron.making import down_to, timing, until, utc

DAYS = [
    "0 0 29 2 *",
    "0 0 L * *",
    "0 0 LW * *",
    "0 0 L 2 *",
    "0 0 15,L * *",
    "0 0 L,LW * 5",
    "0 0 31 * *",
    "0 0 30 * *",
    "0 0 29-31 * *",
    "0 0 13 * 5",
    "0 0 13 * *",
    "0 0 */2 * 1",
    "0 0 1-7 * */1",
    "0 0 1-7 * */7",
    "0 0 1-7 * MON",
    "0 0 * * MON#1",
    "0 0 * * MON#5",
    "0 0 * * 5L",
    "0 0 * * 7",
    "0 0 * * 0",
    "0 0 * * 5-7",
    "0 0 * * 1/2",
    "0 0 * * SUN#2,3",
    "0 0 1 * 1#2",
    "0 0 * 2 MON#5",
    "0 0 1 1 *",
    "0 0 1 */3 *",
    "0 0 * FEB,apr-Jun mon-fri",
    "0 0 31 2 MON",
    "0 0 5-5/3 * *",
]


@pytest.mark.parametrize("rule", DAYS)
def test_days_are_those_of_a_look_at_every_day(rule: str) -> None:
    begin, end = utc("2023-12-31"), utc("2029-01-01")
    fits = oracle.matcher(rule)
    days = [begin + timedelta(days=n) for n in range((end - begin).days)]
    expected = [day for day in days if fits(day.replace(tzinfo=None))]
    found = timing(rule)

    assert until(found.after(begin - timedelta(seconds=1)), end) == expected
    assert down_to(found.before(end), begin) == expected[::-1]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Amsterdam", "America/New_York"])
def test_leap_days_leave_out_2100_both_ways(zone: str) -> None:
    leap_days = timing("0 12 29 2 *", zone)
    years = [moment.year for moment in islice(leap_days.after(utc("2090-01-01")), 3)]
    assert years == [2092, 2096, 2104]
    assert [moment.year for moment in islice(leap_days.before(utc("2105-01-01")), 3)] == years[::-1]


def test_the_rarest_of_all_waits_forty_years() -> None:
    """A leap day that is a Monday; none of the leap days about 2100 is one."""
    rarest = timing("0 0 */28 2 MON#5")
    gaps = islice(rarest.after(utc("2016-03-01")), 4)
    assert [moment.year for moment in gaps] == [2044, 2072, 2112, 2140]


@pytest.mark.parametrize("zone", ["UTC", "Etc/GMT+12", "Pacific/Kiritimati", "America/New_York"])
@pytest.mark.parametrize("rule", ["0 0 1 1 *", "* * * * *", "0 0 29 2 *", "@every 30d"])
def test_moments_end_with_time(rule: str, zone: str) -> None:
    found = timing(rule, zone)
    last = list(found.after(utc("9999-12-31T20:00")))
    assert last == sorted(last)
    assert all(moment > utc("9999-12-31T20:00") for moment in last)
    assert next(found.before(utc("9999-12-31T20:00"))) > utc("9995-01-01")
    assert list(found.before(utc("0001-01-01"))) == []


def test_what_is_asked_about_needs_its_zone() -> None:
    daily = timing("@daily")
    with pytest.raises(ValueError, match="time zone"):
        daily.after(datetime(2026, 1, 1))
    with pytest.raises(ValueError, match="time zone"):
        daily.before(datetime(2026, 1, 1))


def test_a_moment_may_be_given_in_any_zone() -> None:
    daily = timing("30 2 * * *", "Europe/Amsterdam")
    midnight = datetime.fromisoformat("2026-06-01T00:00+02:00")
    assert str(next(daily.after(midnight))) == "2026-06-01 00:30:00+00:00"
