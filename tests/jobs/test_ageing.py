"""What a waiting job gains."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.ageing import Ageing

HOUR, MINUTE = 3600.0, 60.0
NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)

priorities, seconds = st.integers(0, 100), st.floats(0, 1e7)
rules = st.builds(
    Ageing,
    after_seconds=st.floats(0, 1e5),
    every_seconds=st.floats(0, 1e5),
    step=st.integers(0, 100),
    highest=priorities,
)


@pytest.mark.parametrize(
    ("waited", "effective"),
    [
        (0, 30),
        (HOUR - 0.001, 30),
        (HOUR, 40),
        (HOUR + 5 * MINUTE - 0.001, 40),
        (HOUR + 5 * MINUTE, 50),
        (HOUR + 29 * MINUTE, 90),
        (HOUR + 30 * MINUTE, 100),
        (48 * HOUR, 100),
    ],
)
def test_after_an_hour_ten_and_ten_more_every_five_minutes_up_to_a_hundred(
    waited: float, effective: int
) -> None:
    assert Ageing().effective(30, waited) == effective


def test_a_priority_above_the_highest_stays_as_it_is() -> None:
    assert Ageing(highest=80).effective(95, 10 * HOUR) == 95
    assert Ageing(highest=80).effective(75, 10 * HOUR) == 80


def test_without_a_step_nobody_rises() -> None:
    assert Ageing(step=0).effective(0, 1000 * HOUR) == 0


@given(rules, priorities, seconds)
def test_nobody_ever_sinks_or_rises_above_the_highest(
    rules: Ageing, priority: int, waited: float
) -> None:
    effective = rules.effective(priority, waited)

    assert priority <= effective <= max(priority, rules.highest)


@given(rules, priorities, seconds, seconds)
def test_of_one_priority_whoever_waits_longer_is_never_behind(
    rules: Ageing, priority: int, one: float, other: float
) -> None:
    shorter, longer = sorted((one, other))

    assert rules.effective(priority, shorter) <= rules.effective(priority, longer)


@given(rules, priorities, st.integers(0, 10**6))
def test_nobody_rises_who_has_been_ready_since_it_begins_or_later(
    rules: Ageing, priority: int, after: int
) -> None:
    since = rules.begins_for(NOW) + timedelta(seconds=after, microseconds=1)

    assert rules.effective(priority, (NOW - since).total_seconds()) == priority
