"""What `{"$result": …}` stands for."""

from __future__ import annotations

from typing import Any

import pytest

from jobs import step_results
from jobs.exceptions import InvalidPayload
from jobs.step_results import Resolution, ResultMissing, ResultsTooLarge

RESULTS = {"fetch": {"items": [{"id": 7}, None], "0": "zero", "": 1}, "count": 3, "none": None}


def ref(text: Any) -> dict[str, Any]:
    return {"$result": text}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fetch", RESULTS["fetch"]),
        ("fetch.items.0.id", 7),
        ("fetch.items.1", None),
        ("fetch.0", "zero"),
        ("count", 3),
        ("none", None),
    ],
)
def test_a_reference_is_replaced_by_what_it_leads_to(text: str, expected: Any) -> None:
    payload = {"deep": [{"here": ref(text)}], "plain": [1, "x"]}
    resolved = Resolution(RESULTS).resolved(payload)
    assert resolved == {"deep": [{"here": expected}], "plain": [1, "x"]}


@pytest.mark.parametrize(
    "text",
    ["other", "fetch.items.2", "fetch.items.-1", "fetch.items.x", "fetch.nothing", "count.0",
     "none.x", "fetch.items.²", "fetch.items." + "9" * 30],
)  # fmt: skip
def test_a_way_that_leads_nowhere_is_missing(text: str) -> None:
    with pytest.raises(ResultMissing):
        Resolution(RESULTS).resolved({"x": ref(text)})


def test_results_count_as_often_as_they_stand_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_results, "MAX_BYTES", 100)
    results = {"big": "x" * 40}
    assert Resolution(results).resolved([ref("big")] * 2)
    with pytest.raises(ResultsTooLarge):
        Resolution(results).resolved([ref("big")] * 3)


def test_references_are_found_by_parameter_with_their_places() -> None:
    found = step_results.found_in({"a": [{"b": ref("s.x.0")}, ref("t")], "plain": {"c": 1}})
    assert {
        name: [(one.step, one.path, one.pointer) for one in ones] for name, ones in found.items()
    } == {"a": [("s", ("x", "0"), "/a/0/b"), ("t", (), "/a/1")]}


@pytest.mark.parametrize(
    ("payload", "pointer"),
    [
        ({"a": {"$result": "s", "more": 1}}, "/a"),
        ({"a": ref(7)}, "/a/$result"),
        ({"a": ref("")}, "/a/$result"),
        ({"a": ref("s..x")}, "/a/$result"),
        ({"a": ref("s p.x")}, "/a/$result"),
        ({"$result": "s"}, "/$result"),
    ],
)
def test_a_malformed_reference_is_refused_where_it_stands(
    payload: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(InvalidPayload) as refused:
        step_results.found_in(payload)
    assert [one.pointer for one in refused.value.errors] == [pointer]


def test_a_payload_that_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(InvalidPayload):
        step_results.found_in({"a": endless})
