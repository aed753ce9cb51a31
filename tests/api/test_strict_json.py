"""Strict JSON: one meaning, bounded cost, nothing that cannot be stored."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.api.strict_json import NotStrictJSON, depth, loads

BAD = {
    "empty": b"",
    "blank": b"  \n",
    "null": b"null",
    "array": b"[]",
    "text": b'"a"',
    "number": b"1",
    "half": b'{"a": 1',
    "trailing data": b'{"a": 1} x',
    "two objects": b"{}{}",
    "trailing comma": b'{"a": 1,}',
    "comment": b'{"a": 1 /* x */}',
    "single quotes": b"{'a': 1}",
    "BOM": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "bad UTF-8": b'{"a": "\xff"}',
    "overlong UTF-8": b'{"a": "\xc0\x80"}',
    "surrogate in UTF-8": b'{"a": "\xed\xa0\x80"}',
    "duplicate key": b'{"a": 1, "a": 2}',
    "duplicate key inside": b'{"x": [{"a": 1, "a": 2}]}',
    "duplicate key by escape": b'{"a": 1, "\\u0061": 2}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "-Infinity": b'{"a": -Infinity}',
    "1e999": b'{"a": 1e999}',
    "-1e999": b'{"a": [-1e999]}',
    "2^53": b'{"a": 9007199254740992}',
    "-2^53": b'{"a": -9007199254740992}',
    "5,000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "leading zero": b'{"a": 01}',
    "hexadecimal": b'{"a": 0x1}',
    "NUL by escape": b'{"a": "\\u0000"}',
    "NUL in a key": b'{"a\\u0000": 1}',
    "raw NUL": b'{"a": "\x00"}',
    "raw newline": b'{"a": "\n"}',
    "lone surrogate": b'{"a": "\\ud800"}',
    "surrogates the wrong way round": b'{"a": "\\udc00\\ud800"}',
    "depth 33": b'{"a":' + b"[" * 32 + b"]" * 32 + b"}",
    "depth 100,000": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "depth 100,000 unclosed": b'{"a":' + b'{"a":' * 100_000,
    "brackets only": b"[" * 1_000_000,
    "quotes without end": b'{"a":"' + b'\\"' * 500_000,
}
GOOD = {
    "the least": b"{}",
    "spaces around": b' \r\n\t{"a": 1} ',
    "largest integer": b'{"a": 9007199254740991, "b": -9007199254740991}',
    "doubles": b'{"a": 1.5, "b": 1e308, "c": -0.0, "d": 1e-400}',
    "depth 32": b'{"a":' + b"[" * 31 + b"]" * 31 + b"}",
    "brackets in a text": b'{"a": "' + b"[" * 1000 + b'"}',
    "quotes and backslashes in a text": rb'{"a": "\"[[\\", "b": "\\\\\"{{"}',
    "an escaped backslash before u0000": rb'{"a": "\\u0000"}',
    "an emoji by escapes": rb'{"a": "\ud83d\ude00"}',
    "an emoji": '{"a": "😀"}'.encode(),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_what_is_not_strict_is_refused_at_once(data: bytes) -> None:
    began = time.process_time()
    with pytest.raises(NotStrictJSON):
        loads(data)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_what_is_strict_is_read_as_any_reader_would(data: bytes) -> None:
    assert loads(data) == json.loads(data)


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_a_refusal_never_repeats_the_input(data: bytes) -> None:
    with pytest.raises(NotStrictJSON) as refused:
        loads(data)
    assert len(str(refused.value)) < 200


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from('ab"[\\{é'), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from('xy"]\\'), _VALUES), st.booleans())
def test_every_value_of_json_survives_the_way_here(value: object, ascii_only: bool) -> None:
    assert loads(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


def _depth_of(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    is_container = isinstance(value, dict | list)
    return is_container + max((_depth_of(item) for item in inner), default=0)


@given(_VALUES)
def test_the_depth_found_by_counting_is_the_depth_of_the_value(value: object) -> None:
    assert depth(json.dumps(value).encode()) == _depth_of(value)
