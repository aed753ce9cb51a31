"""@every: whole periods from the anchor, whatever the clocks do and however long ago it was."""

from __future__ import annotations

from datetime import UTC, timedelta
from itertools import islice

import pytest

from scheduling.cron import CronError, DstPolicy, Timing, parse, zone_of
from tests.scheduling.cron.making import ANCHOR, timing, utc


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("@every 30m", 1800),
        ("@every 1h30m", 5400),
        ("@every 7d", 604800),
        ("@every 1d2h3m4s", 93784),
        ("@every 60s", 60),
        ("@every 0h90m", 5400),
        ("@EVERY 2H", 7200),
        (" @every  1h ", 3600),
        ("@every 3660d", 316224000),
    ],
)
def test_periods_are_read(text: str, seconds: int) -> None:
    expression = parse(text)
    assert expression.period == timedelta(seconds=seconds)
    assert expression.cron is None
    assert expression.text == text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("@every", "takes days, hours, minutes and seconds as 1d12h, not nothing"),
        ("@every 1s", "@every 1s is less than 60 seconds"),
        ("@every 59s", "@every 59s is less than 60 seconds"),
        ("@every 0m", "@every 0m is less than 60 seconds"),
        ("@every 3661d", "@every 3661d is more than 3660 days"),
        ("@every 999999999d", "is more than 3660 days"),
        ("@every 1234567890s", "numbers of at most 9 digits"),
        ("@every 30m1h", "not '30m1h'"),
        ("@every 1h 30m", "not '1h 30m'"),
        ("@every -5m", "not '-5m'"),
        ("@every 1.5h", "not '1.5h'"),
        ("@every 1w", "not '1w'"),
        ("@every m", "not 'm'"),
        ("@every 30", "not '30'"),
        ("@every30m", "@every30m is not one of"),
    ],
)
def test_what_is_no_period_is_refused_in_words(text: str, sentence: str) -> None:
    with pytest.raises(CronError) as caught:
        parse(text)
    assert sentence in str(caught.value)


def test_the_least_period_is_the_callers() -> None:
    assert parse("@every 5s", min_interval_seconds=5).period == timedelta(seconds=5)
    with pytest.raises(CronError, match="less than 300 seconds"):
        parse("@every 4m", min_interval_seconds=300)


def test_the_anchor_is_the_first_moment() -> None:
    every = timing("@every 30m")
    before = ANCHOR - timedelta(days=1)
    assert list(islice(every.after(before), 2)) == [ANCHOR, ANCHOR + timedelta(minutes=30)]
    assert next(every.after(ANCHOR)) == ANCHOR + timedelta(minutes=30)
    assert list(every.before(ANCHOR)) == []
    assert list(every.before(ANCHOR + timedelta(minutes=31))) == [
        ANCHOR + timedelta(minutes=30),
        ANCHOR,
    ]


def test_summer_time_does_not_touch_it() -> None:
    every = timing("@every 1d", "Europe/Amsterdam", anchor=utc("2026-03-27T01:30"))
    found = islice(every.after(utc("2026-03-28")), 3)
    assert {(moment.hour, moment.minute, moment.tzinfo) for moment in found} == {(1, 30, UTC)}


def test_a_thousand_years_of_seconds_are_not_counted_one_by_one() -> None:
    """Thirty thousand million of them: counting would take hours."""
    every = Timing(
        expression=parse("@every 1s", min_interval_seconds=1),
        zone=zone_of("UTC"),
        dst=DstPolicy.ONCE,
        anchor=ANCHOR,
    )
    far = ANCHOR.replace(year=3026)
    assert next(every.after(far)) == far + timedelta(seconds=1)
    assert next(every.before(far)) == far - timedelta(seconds=1)


def test_periods_end_with_time() -> None:
    assert list(timing("@every 3660d").after(utc("9999-12-31"))) == []
