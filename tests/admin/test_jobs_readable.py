"""Values, times and searches in words for people. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs.admin.readable import BLOCKS, ROWS, SHOWN, readable
from jobs.admin.search import understood
from jobs.admin.telling import duration, moment
from jobs.admin.wish import id_floor
from jobs.secret import MASK

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        (None, []),
        ({}, []),
        ("a word", ["text"]),
        (7, ["json"]),
        ([], ["json"]),
        ({"a": 1, "b": "x", "c": None, "d": True}, ["facts"]),
        ({"n": 1, "notes": "# Title\n\n- one"}, ["facts", "text"]),
        ({"rest": {"deep": {"x": [1]}}, "notes": "a\nb"}, ["text", "outline"]),
        ({"terms": ["a", "b"]}, ["list"]),
        ({"cards": [{"front": "a", "back": 1}, {"front": "b"}]}, ["table"]),
        ({"meta": {"a": 1}}, ["facts"]),
        ([{"a": [1]}], ["outline"]),
        ([1, {"a": 1}], ["outline"]),
    ],
)
def test_a_value_is_laid_out_by_its_shape(value: Any, kinds: list[str]) -> None:
    assert [block.kind for block in readable(value)] == kinds


def test_an_entry_of_a_list_is_headed_by_its_first_text() -> None:
    (block,) = readable([{"heading": "Sowing", "points": ["early", "thinly"]}, ["alone"]])

    assert [(line.depth, line.name, line.text) for line in block.lines] == [
        (0, "Sowing", ""),
        (1, "points", ""),
        (2, "", "early"),
        (2, "", "thinly"),
        (1, "", "alone"),
    ]


def test_what_lies_too_deep_for_an_outline_is_shown_as_json() -> None:
    deep: Any = "x"
    for _ in range(50):
        deep = [deep]

    assert [block.kind for block in readable({"deep": deep})] == ["json"]


@pytest.mark.parametrize(
    "value",
    [
        {"text": "x" * 1_000_000},
        {str(number): number for number in range(100_000)},
        {str(number): "line\n" * 1000 for number in range(200)},
        {"list": list(range(200_000))},
        {"rows": [{"a": 1, "b": "x" * 100}] * 10_000},
        {"deep": [[["x" * 1000]] * 1000]},
        ["x" * 1_000_000],
    ],
)
def test_a_megabyte_is_cut_to_what_a_browser_shows(value: Any) -> None:
    blocks = readable(value)
    assert len(blocks) <= BLOCKS
    for block in blocks:
        assert len(block.text) <= SHOWN
        assert len(block.rows) <= ROWS
    assert any(block.note for block in blocks) or len(blocks) == BLOCKS


def test_a_sealed_value_is_masked_however_deep() -> None:
    blocks = readable({"token": {"$secret": "sealed"}, "in": [{"a": {"$secret": "sealed"}}]})
    assert MASK in str(blocks)
    assert "sealed" not in str(blocks)


@pytest.mark.parametrize(
    ("away", "text"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=-5), "5 s ago"),
        (timedelta(seconds=-125), "2 min ago"),
        (timedelta(hours=-3, minutes=-5), "3 h ago"),
        (timedelta(days=-400), "400 d ago"),
        (timedelta(hours=1, minutes=2), "in 1 h 2 min"),
    ],
)
def test_a_moment_is_told_from_now_with_its_exact_time(away: timedelta, text: str) -> None:
    told = moment(NOW + away, NOW)
    assert told is not None
    assert told.text == text
    assert told.exact == f"{NOW + away:%Y-%m-%d %H:%M:%S} UTC"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.0123, "12 ms"), (3.44, "3.4 s"), (125, "2 min 5 s"), (7200, "2 h")],
)
def test_a_duration_is_told_in_its_own_size(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", ""),
        ("0199a1c0", "ids"),
        ("0199A1C0-5E1F-7000-8000-000000000001", "ids"),
        ("id:0199a1c0", "ids"),
        ("order:12", "label"),
        ("label:type:x", "label"),
        ("type:x.y", "type"),
        ("key:a:b", "unique_key"),
        ("a word", "unique_key"),
        ("key:", "label"),
        ("owner:ada", "owner"),
        ("diagnostics.echo", "type"),
        ("0199a1c", "unique_key"),
    ],
)
def test_the_search_box_takes_a_text_for_one_thing(text: str, field: str) -> None:
    found = understood(text)
    fields = ("ids", "type", "label", "unique_key", "owner")
    assert [name for name in fields if getattr(found, name)] == ([field] if field else [])
    assert bool(found.sentence) == bool(field)


def test_an_id_floor_lies_below_every_id_of_its_moment() -> None:
    floor = id_floor(NOW)
    assert str(floor).startswith(f"{int(NOW.timestamp() * 1000):012x}"[:8])
    assert floor < id_floor(NOW + timedelta(milliseconds=1))
    assert str(floor)[14] == "7"
