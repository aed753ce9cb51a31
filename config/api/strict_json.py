"""JSON that means one thing only: what RFC 8259 leaves open is refused here.

Written for hostile input: the depth is known before anything recurses, and a long number is
refused before it is converted.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, NoReturn

MAX_DEPTH = 32
MAX_INTEGER = 2**53 - 1  # the largest that every JSON reader holds exactly
_MAX_INTEGER_LENGTH = len(str(-MAX_INTEGER))

# Possessive, and matching an unterminated text to its end: linear in any input.
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class NotStrictJSON(ValueError):
    """The bytes are not strict JSON; the message says where, and never repeats them."""


def loads(data: bytes) -> dict[str, Any]:
    """The one object that `data` is. Raises NotStrictJSON."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotStrictJSON(f"not UTF-8 at byte {error.start}") from None
    if depth(data) > MAX_DEPTH:
        raise NotStrictJSON(f"nested deeper than {MAX_DEPTH}")
    value = _parsed(text)
    if not isinstance(value, dict):
        raise NotStrictJSON("not an object")
    if "\\u" in text:  # a raw NUL is no JSON and a raw surrogate no UTF-8: only escapes make them
        _refuse_unstorable(value)
    return value


def depth(data: bytes) -> int:
    """How deep arrays and objects are nested, found without recursion."""
    brackets = _TEXT.sub(b"", data).translate(None, delete=_NOT_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)


def _parsed(text: str) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        raise NotStrictJSON(f"{error.msg} (line {error.lineno}, column {error.colno})") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise NotStrictJSON("a key stands twice in one object")
    return value


def _integer(digits: str) -> int:
    if len(digits) <= _MAX_INTEGER_LENGTH and abs(value := int(digits)) <= MAX_INTEGER:
        return value
    raise NotStrictJSON(f"an integer beyond ±{MAX_INTEGER}")


def _float(digits: str) -> float:
    if math.isfinite(value := float(digits)):
        return value
    raise NotStrictJSON("a number too large for a double")


def _constant(word: str) -> NoReturn:
    raise NotStrictJSON(f"{word} is no JSON")


def _refuse_unstorable(value: Any) -> None:
    if any(_UNSTORABLE.search(text) for text in _texts(value)):
        raise NotStrictJSON("a text holds NUL or half a surrogate pair")


def _texts(value: Any) -> Iterator[str]:
    """Every text in `value`, keys included. It recurses, at most MAX_DEPTH deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
