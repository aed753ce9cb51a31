"""Which graphs are taken, and what is before what."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.workflows import graph
from jobs.workflows.steps import Step, behind, chain

ANY = Step(type_name="any")


def steps(after: Mapping[str, str]) -> dict[str, Step]:
    """Of each step the letters of those it waits for."""
    return {name: Step(type_name="any", after=list(waits_for)) for name, waits_for in after.items()}


def mistakes(made: Mapping[str, Step]) -> list[str]:
    return [one.pointer for one in graph.mistakes_in(made, edges(made))]


def edges(made: Mapping[str, Step]) -> graph.Edges:
    return {name: step.edges for name, step in made.items()}


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ({"a": ""}, []),
        ({"a": "", "b": "a", "c": "a", "d": "bc"}, []),
        ({}, ["/steps"]),
        ({"a": "a"}, ["/steps/a/after/0"]),
        ({"a": "x"}, ["/steps/a/after/0"]),
        ({"a": "", "b": "aa"}, ["/steps/b/after/1"]),
        ({"a": "b", "b": "a"}, ["/steps/a/after"]),
        ({"a": "", "b": "ad", "c": "b", "d": "c"}, ["/steps/b/after"]),
        ({"": ""}, ["/steps/"]),
        ({"a.b": ""}, ["/steps/a.b"]),
        ({"a/b": ""}, ["/steps/a~1b"]),
    ],
)
def test_a_graph_without_a_circle_is_taken_and_any_other_is_refused_by_its_place(
    after: dict[str, str], expected: list[str]
) -> None:
    assert mistakes(steps(after)) == expected


def test_ten_thousand_steps_are_taken_and_not_one_more() -> None:
    most = chain({f"s{number}": ANY for number in range(graph.MOST_STEPS)})
    assert mistakes(most) == []
    assert mistakes({**most, "more": ANY}) == ["/steps"]


def test_a_circle_of_ten_thousand_is_told_in_a_few_words() -> None:
    made = chain({f"s{number}": ANY for number in range(graph.MOST_STEPS)})
    (mistake,) = graph.mistakes_in(
        {**made, **behind({"s0": ANY}, f"s{graph.MOST_STEPS - 1}")},
        edges({**made, **behind({"s0": ANY}, f"s{graph.MOST_STEPS - 1}")}),
    )
    assert mistake.detail.startswith("waits in a circle: ")
    assert len(mistake.detail) < 200


@given(st.lists(st.frozensets(st.integers(0, 11), max_size=4), min_size=1, max_size=12))
def test_before_is_what_following_the_edges_finds(drawn: list[frozenset[int]]) -> None:
    after = {
        str(number): sorted(str(one) for one in waits_for if one < number)
        for number, waits_for in enumerate(drawn)
    }
    made = {name: Step(type_name="any", after=names) for name, names in after.items()}

    def before(name: str) -> set[str]:
        return {found for one in after[name] for found in ({one} | before(one))}

    wanted = {name: list(after) for name in after}
    assert set(graph.not_before(edges(made), wanted)) == {
        (name, other) for name in after for other in set(after) - before(name)
    }
