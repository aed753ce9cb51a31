"""Times and numbers in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jobs import wording

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"), (0.012, "12 ms"), (3.44, "3.4 s"), (59.94, "59.9 s"), (60, "1 min"),
        (125, "2 min 5 s"), (3_600, "1 h"), (3_660, "1 h 1 min"), (3_605, "1 h"),
        (90_000, "1 d 1 h"),
    ],
)  # fmt: skip
def test_a_length_of_time(seconds: float, text: str) -> None:
    assert wording.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.5, "just now"), (-0.5, "just now"), (2, "2 s ago"), (125, "2 min ago"),
        (-3_700, "in 1 h 1 min"), (100_000, "1 d ago"),
    ],
)  # fmt: skip
def test_how_long_ago(seconds: float, text: str) -> None:
    assert wording.ago(NOW - timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (1234567, "1,234,567"), (2.25, "2.2"), (0.051, "0.051")]
)
def test_a_number(value: float, text: str) -> None:
    assert wording.figure(value) == text
