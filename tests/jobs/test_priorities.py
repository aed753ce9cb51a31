"""Levels are bands of priorities; both forms are understood."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.priorities import HIGHEST, LOWEST, NAMED, Level, level_of, parse


@pytest.mark.parametrize(
    ("level", "lowest", "highest", "by_name"),
    [
        (Level.URGENT, 90, 100, 95),
        (Level.HIGH, 70, 89, 75),
        (Level.NORMAL, 30, 69, 50),
        (Level.LOW, 0, 29, 10),
    ],
)
def test_each_level_is_a_band(level: Level, lowest: int, highest: int, by_name: int) -> None:
    assert {level_of(priority) for priority in range(lowest, highest + 1)} == {level}
    assert parse(level.value) == NAMED[level] == by_name
    assert level_of(by_name) == level


def test_the_bands_cover_the_scale() -> None:
    assert (LOWEST, HIGHEST) == (0, 100)
    assert {level_of(priority) for priority in range(101)} == set(Level)


def test_levels_are_listed_most_urgent_first() -> None:
    assert [level.value for level in Level] == ["urgent", "high", "normal", "low"]


@pytest.mark.parametrize("priority", range(101))
def test_every_whole_number_of_the_scale_is_a_priority(priority: int) -> None:
    assert parse(priority) == priority


@pytest.mark.parametrize(
    "value", [-1, 101, True, False, "", "URGENT", "critical", "50", 50.0, None, [], 10**30]
)
def test_anything_else_is_refused_with_both_forms_named(value: Any) -> None:
    with pytest.raises(ValueError, match="0-100 or one of urgent, high, normal, low"):
        parse(value)
