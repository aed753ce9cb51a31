"""What `{"$result": "fetch.items.0"}` in the payload of a workflow's step stands for. Pure.

The text names a step and a way into its result: keys of objects and places in lists, counted from
0, with dots between. The step alone stands for its whole result.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

from jobs.exceptions import FieldError, InvalidPayload, JobsError, pointer

if TYPE_CHECKING:
    from jobs.job_type import JobType

KEY = "$result"
MAX_BYTES = 16 * 1024 * 1024  # of all results in one payload, each as often as it stands there
STEP_NAME = "[A-Za-z0-9_-]{1,100}"
_STEP_NAME = re.compile(STEP_NAME)
_PLACE = re.compile(r"[0-9]{1,9}")
STEP_NAME_RULE = "a step's name is 1 to 100 letters, digits, - and _"


class ResultMissing(JobsError):
    """A result that the payload refers to is not there."""


class ResultUnreadable(JobsError):
    """The storage in which an earlier result lies does not answer."""


class ResultsTooLarge(JobsError):
    """The results that the payload refers to are too large together."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """One of them: `pointer` says where in the payload it stands."""

    step: str
    path: tuple[str, ...]
    pointer: str


def is_step_name(text: object) -> bool:
    return isinstance(text, str) and bool(_STEP_NAME.fullmatch(text))


def found_in(payload: Mapping[str, Any]) -> dict[str, list[Reference]]:
    """The references in a payload, by the parameter in whose value they stand.

    Raises InvalidPayload with every one that is malformed.
    """
    found: dict[str, list[Reference]] = {}
    errors: list[FieldError] = []
    if KEY in payload:
        errors.append(FieldError(pointer(KEY), "stands for the value of a parameter, not for all"))
    for name, value in payload.items():
        here: list[Reference] = []
        try:
            _collect(value, (name,), here, errors)
        except RecursionError:
            errors.append(FieldError(pointer(name), "cannot be written as JSON"))
        if here:
            found[name] = here
    if errors:
        raise InvalidPayload(errors)
    return found


def is_referring(payload: Mapping[str, Any]) -> bool:
    """Whether a stored payload takes anything from an earlier step."""
    try:
        return bool(found_in(payload))
    except InvalidPayload:
        return True


def _collect(
    value: Any, place: tuple[str | int, ...], found: list[Reference], errors: list[FieldError]
) -> None:
    if isinstance(value, Mapping):
        if KEY in value:
            _collect_one(value, place, found, errors)
            return
        for key, item in value.items():
            _collect(item, (*place, key), found, errors)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _collect(item, (*place, index), found, errors)


def _collect_one(
    value: Mapping[str, Any],
    place: tuple[str | int, ...],
    found: list[Reference],
    errors: list[FieldError],
) -> None:
    text, at = value[KEY], pointer(*place)
    if len(value) > 1:
        errors.append(FieldError(at, f"{KEY} has no other key beside it"))
        return
    step, *path = text.split(".") if isinstance(text, str) else [""]
    if not is_step_name(step) or "" in path:
        errors.append(FieldError(f"{at}/{KEY}", "is written step or step.key.0"))
        return
    found.append(Reference(step=step, path=tuple(path), pointer=at))


def known_part(
    job_type: JobType[Any, Any], payload: Mapping[str, Any]
) -> tuple[JobType[Any, Any], dict[str, Any], dict[str, list[Reference]]]:
    """What can be said of a step's payload before earlier steps have ended: the parameters without
    a reference, the type of just those, and the references of the others.

    Raises InvalidPayload where a reference is malformed, or stands for a secret or a file.
    """
    found = found_in(payload)
    errors = [FieldError(pointer(name), why) for name in found if (why := _why_not(job_type, name))]
    if errors:
        raise InvalidPayload(errors)
    known = {name: value for name, value in payload.items() if name not in found}
    return job_type.without(frozenset(found)), known, found


def as_stored(referring: dict[str, Any]) -> dict[str, Any]:
    """Parameters that wait for results, as they were given; they are checked with the results."""
    try:
        stored: dict[str, Any] = to_jsonable_python(referring)
    except (PydanticSerializationError, ValueError) as error:
        raise InvalidPayload([FieldError("", "cannot be written as JSON")]) from error
    return stored


def _why_not(job_type: JobType[Any, Any], name: str) -> str:
    """Why the result of a step cannot be this parameter, if it cannot."""
    if job_type.keeps_apart(name):
        return "a secret or a file cannot be a result"
    return "" if job_type.takes(name) else "unknown parameter"


class Resolution:
    """Puts results in the place of references, and counts how much they are together."""

    def __init__(self, results: Mapping[str, Any]) -> None:
        self._results = results  # of the steps that completed
        self._left = MAX_BYTES
        self._known: dict[str, tuple[Any, int]] = {}

    def resolved(self, value: Any) -> Any:
        """`value` with results in it. Raises ResultMissing or ResultsTooLarge."""
        if isinstance(value, dict):
            if KEY in value:
                return self._take(value[KEY])
            return {key: self.resolved(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolved(item) for item in value]
        return value

    def _take(self, text: str) -> Any:
        if text not in self._known:
            found = self._look_up(text)
            self._known[text] = found, len(json.dumps(found, ensure_ascii=False))
        found, size = self._known[text]
        self._left -= size
        if self._left < 0:
            raise ResultsTooLarge(f"The results that it refers to are over {MAX_BYTES} bytes.")
        return found

    def _look_up(self, text: str) -> Any:
        step, *path = text.split(".")
        if step not in self._results:
            raise ResultMissing(f"{text}: step {step} has no result.")
        found = self._results[step]
        for part in path:
            found = _below(found, part, text)
        return found


def _below(value: Any, part: str, text: str) -> Any:
    if isinstance(value, dict) and part in value:
        return value[part]
    if isinstance(value, list) and _PLACE.fullmatch(part) and int(part) < len(value):
        return value[int(part)]
    raise ResultMissing(f"{text}: the result has nothing at {part!r}.")
