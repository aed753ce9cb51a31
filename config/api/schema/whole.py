"""What stands once in the document for all calls, and an example where a call brings none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jobs.api.examples
import scheduling.api.examples
import webhooks.api.examples
from config.api.schema.answers import HEADERS, PROBLEM, responses
from config.api.schema.examples import EXAMPLES as OWN

_ALL = (
    jobs.api.examples.EXAMPLES
    | scheduling.api.examples.EXAMPLES
    | webhooks.api.examples.EXAMPLES
    | OWN
)
_EXAMPLES = {model.__name__: value for model, value in _ALL.items()}
_MEDIA = "application/json"
_REF = "#/components/schemas/"


def say_what_all_calls_share(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The errors and headers that operations refer to, and examples."""
    components = result["components"]
    components["schemas"]["Problem"] = PROBLEM
    components.update(headers=HEADERS, responses=responses())
    for operation in operations(result):
        for part in bodies(operation):
            _show(part, components["schemas"])
    return result


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def bodies(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What JSON a call takes and what it answers when it succeeds."""
    answers = operation["responses"].items()
    succeeding = [answer for status, answer in answers if status.startswith("2")]
    for one in [operation.get("requestBody", {}), *succeeding]:
        if _MEDIA in one.get("content", {}):
            yield one["content"][_MEDIA]


def _show(part: dict[str, Any], schemas: dict[str, Any]) -> None:
    name = part["schema"].get("$ref", "").removeprefix(_REF)
    if "example" in part or "examples" in part or not name:
        return
    example = _example_of(name, schemas)
    if example is not None:
        part["examples"] = {"Example": {"value": example}}


def _example_of(name: str, schemas: dict[str, Any]) -> Any:
    """Of a page: one of its items."""
    if name in _EXAMPLES:
        return _EXAMPLES[name]
    properties = schemas[name].get("properties", {})
    if set(properties) != {"items", "next_cursor"}:
        return None
    item = properties["items"]["items"].get("$ref", "").removeprefix(_REF)
    return {"items": [_EXAMPLES[item]], "next_cursor": None} if item in _EXAMPLES else None
