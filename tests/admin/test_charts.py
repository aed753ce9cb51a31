"""Bar charts as numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.admin.charts import HEIGHT, Column, chart, upper_edge

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def columns(*values: tuple[float, ...]) -> list[Column]:
    return [
        Column(at=BEGAN + timedelta(minutes=n), parts=[(str(i), v) for i, v in enumerate(parts)])
        for n, parts in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("highest", "edge"), [(0, 1), (1, 1), (1.5, 2), (3, 5), (10, 10), (11, 20), (50_001, 100_000)]
)
def test_the_upper_edge_is_the_next_round_number(highest: float, edge: float) -> None:
    assert upper_edge(highest) == edge


def test_parts_stand_on_each_other_from_the_bottom() -> None:
    (bar,) = chart(columns((30, 20))).bars

    assert [(part.name, part.y, part.height) for part in bar.parts] == [
        ("0", 40, 60),
        ("1", 0, 40),
    ]


def test_a_part_without_a_value_is_not_drawn() -> None:
    drawn = chart(columns((0, 5), (0, 0)))

    assert [len(bar.parts) for bar in drawn.bars] == [1, 0]
    assert not drawn.is_empty
    assert chart(columns((0, 0))).is_empty
    assert chart([]).is_empty


@given(st.lists(st.tuples(st.floats(0, 1e9), st.floats(0, 1e9)), min_size=1, max_size=30))
def test_no_bar_leaves_the_drawing(values: list[tuple[float, float]]) -> None:
    drawn = chart(columns(*values))

    for bar in drawn.bars:
        assert 0 <= bar.x < bar.x + bar.width <= drawn.width
        for part in bar.parts:
            assert -0.1 <= part.y <= part.y + part.height <= HEIGHT + 0.1
