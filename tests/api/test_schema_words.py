"""The published schema tells enough to write a client by: nobody can add a call and forget it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # no stubs installed

from accounts.scopes import EVERY_SCOPE
from config.api.schema.whole import bodies, operations
from tests.api.test_schema import check, schema

ALWAYS = {"401", "403", "404", "422", "429", "503", "default"}
OF_A_BODY = {"400", "409", "413", "415"}


def _operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in schema()["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def _resolved(answer: dict[str, Any]) -> dict[str, Any]:
    name = answer.get("$ref", "").rpartition("/")[2]
    return schema()["components"]["responses"][name] if name else answer


def test_every_operation_has_a_name_of_its_own_a_summary_and_a_tag() -> None:
    names = [operation["operationId"] for _, _, operation in _operations()]
    assert len(set(names)) == len(names)
    assert [
        name for _, name, one in _operations() if not (one.get("summary") and one["tags"])
    ] == []


def test_every_operation_names_the_scope_it_needs() -> None:
    assert all(one["x-scope"] in {None, *EVERY_SCOPE} for _, _, one in _operations())
    assert all(
        one["x-scope"] is None or one["x-scope"] in one["description"]
        for _, _, one in _operations()
    )
    assert {one["x-scope"] for _, path, one in _operations() if path.endswith("/jobs")} == {
        "jobs:read",
        "jobs:write",
    }


def test_every_body_and_every_answer_has_an_example_that_fits() -> None:
    bare = []
    for operation in operations(schema()):
        for part in bodies(operation):
            examples = [one["value"] for one in part.get("examples", {}).values()]
            if not examples:
                bare.append(operation["operationId"])
            for example in examples:
                check(example, part["schema"])
    assert bare == []


def test_every_operation_tells_the_errors_it_may_answer() -> None:
    for method, path, operation in _operations():
        missing = ALWAYS - set(operation["responses"])
        if method in ("post", "put", "patch"):
            missing |= OF_A_BODY - set(operation["responses"])
        assert missing == set(), (method, path)


def test_every_error_is_the_same_problem() -> None:
    for operation in operations(schema()):
        for status, answer in operation["responses"].items():
            if status == "default" or status.startswith("4"):
                media = _resolved(answer)["content"]["application/problem+json"]
                assert media == {"schema": {"$ref": "#/components/schemas/Problem"}}


@pytest.mark.parametrize("status", ["429", "503"])
def test_what_comes_back_says_when(status: str) -> None:
    for operation in operations(schema()):
        answer = operation["responses"][status]
        assert "Retry-After" in _resolved(answer)["headers"] or "Unhealthy" in answer["description"]


def test_every_success_tells_what_is_left_of_the_rate() -> None:
    for operation in operations(schema()):
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                assert "X-RateLimit-Remaining" in answer["headers"]


def test_an_idempotency_key_is_described_with_the_header_of_its_replay() -> None:
    keyed = [
        operation
        for operation in operations(schema())
        if any(one["name"] == "Idempotency-Key" for one in operation["parameters"])
    ]
    assert len(keyed) >= 5
    assert all("Idempotent-Replay" in answer["headers"] for one in keyed for status, answer in
               one["responses"].items() if status.startswith("2"))  # fmt: skip


def test_no_body_takes_a_field_that_is_not_described() -> None:
    for operation in operations(schema()):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            name = media["schema"].get("$ref", "").rpartition("/")[2]
            body = schema()["components"]["schemas"][name] if name else media["schema"]
            assert body["additionalProperties"] is False, operation["operationId"]


def test_every_schema_in_it_is_a_json_schema() -> None:
    for part in schema()["components"]["schemas"].values():
        Draft202012Validator.check_schema(part)
