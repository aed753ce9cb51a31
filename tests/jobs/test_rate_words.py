"""Rates as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.policies.rate import MOST_STARTS, UNITS, Rate, parse, parse_or_none

DAY = UNITS["d"]


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("100/m", Rate(100, 60)),
        ("5/s", Rate(5, 1)),
        ("20/5s", Rate(20, 5)),
        ("1000/2h", Rate(1000, 7200)),
        (" 1/d ", Rate(1, DAY)),
        ("10000/24h", Rate(10_000, DAY)),
    ],
)
def test_a_rate_is_read(text: str, rate: Rate) -> None:
    assert parse(text) == rate


@given(starts=st.integers(1, MOST_STARTS), seconds=st.integers(1, DAY))
def test_what_a_rate_says_of_itself_is_read_back_as_the_same(starts: int, seconds: int) -> None:
    rate = Rate(starts, seconds)

    assert parse(str(rate)) == rate


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("60/3600s", "60/h"),
        ("60/60s", "60/m"),
        ("7/90s", "7/90s"),
        ("7/120m", "7/2h"),
        ("7/86400s", "7/d"),
    ],
)
def test_a_rate_is_told_in_its_largest_unit(text: str, says: str) -> None:
    assert str(parse(text)) == says


@pytest.mark.parametrize(
    "text",
    [
        "", "100", "/m", "100/", "100/w", "100 / m", "0/m", "01/m", "-1/m", "1.5/m", "5/0s",
        "5/1.5s", "100/m\n100/m", "100/M", "१००/m", "100/ms", "100/2d", "1/86401s", "1/25h",
        "10001/m", "9999999/m",
    ],
)  # fmt: skip
def test_what_is_no_rate_is_refused_with_words_for_people(text: str) -> None:
    with pytest.raises(ValueError, match=r"^a rate "):
        parse(text)


@given(st.text())
def test_any_text_is_a_rate_or_refused(text: str) -> None:
    try:
        rate = parse(text)
    except ValueError:
        return
    assert 1 <= rate.starts <= MOST_STARTS
    assert 1 <= rate.seconds <= DAY


@pytest.mark.parametrize("nothing", ["", None])
def test_an_empty_text_is_no_rate(nothing: str | None) -> None:
    assert parse_or_none(nothing) is None
    assert parse_or_none("2/s") == Rate(2, 1)
