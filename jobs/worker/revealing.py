"""The secret texts that a job's code may hold, for keeping them out of what it writes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any

from pydantic import BaseModel

from jobs.secret import Secret

_LEAST_DIGITS = 4  # shorter numbers stand in every text, and are no secret worth the name


Secrets = Callable[[], Collection[str]]


def lazily_revealed(arguments: Any) -> Secrets:
    """They are looked for when they are first asked for: most jobs write nothing."""
    return cache(lambda: revealed(arguments))


def revealed(arguments: Any) -> list[str]:
    """Every text by which a secret among the arguments could be printed, at any depth of them and
    of the secret itself.

    Of a secret mapping that is the values, not the keys. Never raises for the sake of a value.
    """
    found: set[str] = set()
    seen: dict[tuple[int, bool], Any] = {}  # holds them, so that no id is used again meanwhile
    left: deque[tuple[Any, bool]] = deque([(arguments, False)])
    while left:
        value, is_secret = left.pop()
        inner = _inside(value)
        if inner is None:
            found.update(_texts(value) if is_secret else ())
        elif (id(value), is_secret) not in seen:
            seen[id(value), is_secret] = value
            below = is_secret or isinstance(value, Secret)
            left.extend((each, below) for each in inner)
    return sorted(found)


def _inside(value: Any) -> Iterable[Any] | None:
    """What it is made of; None where it is no container."""
    try:
        return _parts(value)
    except Exception:  # noqa: BLE001 (an attribute or an iteration may be job code)
        return None


def _parts(value: Any) -> Iterable[Any] | None:
    match value:
        case Secret():
            return [value.reveal()]
        case BaseModel():
            return [*vars(value).values(), *(value.model_extra or {}).values()]
        case Mapping():
            return list(value.values())
        case list() | tuple() | set() | frozenset() | deque():
            return list(value)
        case Enum():
            return [value.value]
    if is_dataclass(value):
        return [getattr(value, field.name, None) for field in fields(value)]
    return None


def _texts(value: Any) -> list[str]:
    match value:
        case None | bool():
            return []
        case str():
            return [value] if value else []
        case bytes() | bytearray() | memoryview():
            return _texts_of_bytes(bytes(value))
    text = _printed(value)
    return [text] if sum(map(str.isdigit, text)) >= _LEAST_DIGITS else []


def _texts_of_bytes(value: bytes) -> list[str]:
    """As text, and as Python shows bytes."""
    return [text for text in {value.decode(errors="replace"), repr(value)[2:-1]} if text]


def _printed(value: Any) -> str:
    """A number without its sign; whatever else it is (a UUID, a date), as it prints itself."""
    try:
        return str(value).lstrip("-")
    except Exception:  # noqa: BLE001 (`__str__` is job code)
        return ""
