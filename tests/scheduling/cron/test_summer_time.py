"""Moments around changes of the clocks, against a look at every minute and against written ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice, product

import pytest

from scheduling.cron import zone_of
from tests.scheduling.cron import oracle
from tests.scheduling.cron.making import down_to, on_the_wall, timing, until, utc
from tests.scheduling.cron.nights import NIGHTS, POLICIES, RULES

MARGIN = timedelta(hours=36)
MICROSECOND = timedelta(microseconds=1)


def stretch(change: str) -> tuple[datetime, datetime]:
    return utc(change) - MARGIN, utc(change) + MARGIN


@pytest.mark.parametrize(("zone", "change", "minutes"), NIGHTS)
def test_the_clocks_change_in_the_nights_of_the_table(zone: str, change: str, minutes: int) -> None:
    def offset(moment: datetime) -> timedelta:
        return moment.astimezone(zone_of(zone)).utcoffset() or timedelta(0)

    leap = offset(utc(change)) - offset(utc(change) - MICROSECOND)
    assert leap == timedelta(minutes=minutes)


@pytest.mark.parametrize(("zone", "change", "minutes"), NIGHTS)
def test_moments_round_a_change_are_those_of_a_look_at_every_minute(
    zone: str, change: str, minutes: int
) -> None:
    begin, end = stretch(change)
    for policy, rule in product(POLICIES, RULES):
        expected = oracle.moments(rule, zone_of(zone), policy, begin, end)
        found = timing(rule, zone, policy)
        case = (policy, rule)

        assert until(found.after(begin - MICROSECOND), end) == expected, case
        assert down_to(found.before(end), begin) == expected[::-1], case
        for start in starts_round(change):
            later = [moment for moment in expected if moment > start]
            sooner = [moment for moment in expected if moment < start]
            assert until(islice(found.after(start), 2), end) == later[:2], (*case, start)
            assert down_to(islice(found.before(start), 2), begin) == sooner[:-3:-1], (*case, start)


def starts_round(change: str) -> list[datetime]:
    """Before, at and after the change, and in what the clocks show twice; not only at minutes."""
    minutes = [timedelta(minutes=n) for n in (-60, -15, 0, 15, 45)]
    return [utc(change) + away for away in (*minutes, -MICROSECOND, MICROSECOND)]


# Written by hand, from what the clocks of the place show.
WRITTEN = [
    # Amsterdam, 29 March 2026: 02:00 becomes 03:00.
    ("30 2 * * *", "Europe/Amsterdam", "once", "2026-03-29T00:00", ["03-29 03:00+02:00"]),
    ("30 2 * * *", "Europe/Amsterdam", "skip", "2026-03-29T00:00", ["03-30 02:30+02:00"]),
    ("30 2 * * *", "Europe/Amsterdam", "all", "2026-03-29T00:00", ["03-30 02:30+02:00"]),
    (
        "0,30 2-3 * * *",
        "Europe/Amsterdam",
        "once",
        "2026-03-29T00:00",
        ["03-29 03:00+02:00", "03-29 03:30+02:00", "03-30 02:00+02:00"],
    ),
    (
        "0 * * * *",
        "Europe/Amsterdam",
        "once",
        "2026-03-28T23:30",
        ["03-29 01:00+01:00", "03-29 03:00+02:00", "03-29 04:00+02:00"],
    ),
    # 25 October 2026: 03:00 becomes 02:00.
    (
        "30 2 * * *",
        "Europe/Amsterdam",
        "once",
        "2026-10-24T12:00",
        ["10-25 02:30+02:00", "10-26 02:30+01:00"],
    ),
    (
        "30 2 * * *",
        "Europe/Amsterdam",
        "all",
        "2026-10-24T12:00",
        ["10-25 02:30+02:00", "10-25 02:30+01:00", "10-26 02:30+01:00"],
    ),
    (
        "*/30 * * * *",
        "Europe/Amsterdam",
        "skip",
        "2026-10-24T23:45",
        ["10-25 02:00+02:00", "10-25 02:30+02:00", "10-25 02:00+01:00", "10-25 02:30+01:00"],
    ),
    (
        "0,30 2 * * *",
        "Europe/Amsterdam",
        "all",
        "2026-10-24T12:00",
        ["10-25 02:00+02:00", "10-25 02:30+02:00", "10-25 02:00+01:00", "10-25 02:30+01:00"],
    ),
    # Lord Howe, 5 October 2025: 02:00 becomes 02:30.
    ("15 2 * * *", "Australia/Lord_Howe", "once", "2025-10-04T12:00", ["10-05 02:30+11:00"]),
    (
        "0 * * * *",
        "Australia/Lord_Howe",
        "once",
        "2025-10-04T14:00",
        ["10-05 01:00+10:30", "10-05 03:00+11:00", "10-05 04:00+11:00"],
    ),
    # Beirut, 29 March 2026: midnight becomes 01:00.
    (
        "0 0 * * *",
        "Asia/Beirut",
        "once",
        "2026-03-28T00:00",
        ["03-29 01:00+03:00", "03-30 00:00+03:00"],
    ),
    ("0 */6 * * *", "Asia/Beirut", "once", "2026-03-28T17:00", ["03-29 06:00+03:00"]),
    # Apia left out 30 December 2011.
    (
        "0 9 * * *",
        "Pacific/Apia",
        "once",
        "2011-12-29T12:00",
        ["12-29 09:00-10:00", "12-31 00:00+14:00", "12-31 09:00+14:00"],
    ),
    (
        "0 9 * * *",
        "Pacific/Apia",
        "skip",
        "2011-12-29T12:00",
        ["12-29 09:00-10:00", "12-31 09:00+14:00"],
    ),
    # Troll: two hours at once, 01:00 becomes 03:00.
    ("0 1,2 * * *", "Antarctica/Troll", "once", "2026-03-29T00:00", ["03-29 03:00+02:00"]),
    # Dublin saves in winter; its clocks change as others do.
    ("30 1 * * *", "Europe/Dublin", "once", "2026-03-29T00:00", ["03-29 02:00+01:00"]),
    # Havana: midnight comes twice.
    (
        "0 0 * * *",
        "America/Havana",
        "all",
        "2025-11-01T12:00",
        ["11-02 00:00-04:00", "11-02 00:00-05:00", "11-03 00:00-05:00"],
    ),
    # Kathmandu is at a quarter to.
    ("0 9 * * 1-5", "Asia/Kathmandu", "once", "2026-10-23T12:00", ["10-26 09:00+05:45"]),
]


@pytest.mark.parametrize(("rule", "zone", "policy", "start", "expected"), WRITTEN)
def test_moments_are_as_written_by_hand(
    rule: str, zone: str, policy: str, start: str, expected: list[str]
) -> None:
    moments = islice(timing(rule, zone, policy).after(utc(start)), len(expected))
    assert on_the_wall(moments, zone) == expected


@pytest.mark.parametrize("policy", ["skip", "all"])
def test_times_that_are_always_leapt_over_end_the_search(policy: str) -> None:
    never = timing("30 2 * 3 0L", "Europe/Amsterdam", policy)
    assert list(never.after(utc("2026-01-01"))) == []


def test_times_that_are_always_leapt_over_run_after_the_gap_by_default() -> None:
    yearly = timing("30 2 * 3 0L", "Europe/Amsterdam")
    assert on_the_wall(islice(yearly.after(utc("2026-01-01")), 2), "Europe/Amsterdam") == [
        "03-29 03:00+02:00",
        "03-28 03:00+02:00",
    ]


def test_second_showings_of_a_rare_time_come_before_the_next_first_one() -> None:
    rare = timing("30 2 25 10 *", "Europe/Amsterdam", "all")
    found = list(islice(rare.after(utc("2026-01-01")), 3))
    assert [str(moment)[:16] for moment in found] == [
        "2026-10-25 00:30",
        "2026-10-25 01:30",
        "2027-10-25 00:30",
    ]
    assert list(islice(rare.before(found[2]), 2)) == [found[1], found[0]]
