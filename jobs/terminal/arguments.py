"""What people type: payloads, labels, durations, moments. Each reader raises ArgumentTypeError,
which the parser shows beside the option's name."""

from __future__ import annotations

import json
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from pathlib import Path
from typing import Any

from accounts.api import moment
from accounts.api.paging import DEFAULT_LIMIT, MAX_LIMIT

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST = 36_500 * _UNITS["d"]
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)", re.ASCII)


def plain(given: str) -> str:
    """Text that can be stored and shown."""
    if _UNSTORABLE.search(given):
        raise ArgumentTypeError("not readable text: it is not UTF-8, or has a NUL character")
    return given


def take_plain_text(parser: ArgumentParser) -> None:
    """Arguments of `parser` without a type of their own are `plain`."""
    parser.register("type", None, plain)


def payload(text: str) -> dict[str, Any]:
    """A JSON object: written out, `@FILE`, or `-` for standard input."""
    try:
        value = json.loads(plain(_source(text)), parse_constant=_refuse_constant)
    except (OSError, UnicodeDecodeError) as error:
        raise ArgumentTypeError(f"{text} cannot be read: {_reason(error)}") from None
    except (ValueError, RecursionError) as error:
        raise ArgumentTypeError(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ArgumentTypeError("a JSON object, as in '{\"seconds\": 3}'")
    return value


def label(text: str) -> tuple[str, str]:
    key, equals, value = plain(text).partition("=")
    if not (key and equals):
        raise ArgumentTypeError("a label is written key=value")
    return key, value


def seconds(text: str) -> float:
    """`90`, `90s`, `1.5m`, `2h` or `1d`."""
    form = _DURATION.fullmatch(text.strip())
    if form is None:
        raise ArgumentTypeError("seconds, or a number with s, m, h or d, as in 90 or 5m")
    length = float(form[1]) * _UNITS[form[2]]
    if length > _LONGEST:
        raise ArgumentTypeError(f"at most {_LONGEST // _UNITS['d']}d")
    return length


def at(text: str) -> datetime:
    try:
        return moment.parsed(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def priority(text: str) -> int | str:
    """A number or a level's name; which of them are allowed is the plan's to say."""
    try:
        return int(text)
    except ValueError:
        return plain(text)


def within(text: str, highest: int) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= highest:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is not 1 to {highest}")


def limit(text: str) -> int:
    return within(text, MAX_LIMIT)


def add_shared(parser: ArgumentParser) -> None:
    """What every look and every verb takes."""
    take_plain_text(parser)
    parser.add_argument("--tenant", metavar="SLUG", help="default: all")
    parser.add_argument("--json", action="store_true", help="one JSON document")


def add_limit(parser: ArgumentParser) -> None:
    told = f"1 to {MAX_LIMIT}, default {DEFAULT_LIMIT}"
    parser.add_argument("--limit", type=limit, default=DEFAULT_LIMIT, help=told)


def _source(text: str) -> str:
    if text == "-":
        return sys.stdin.read()
    return Path(text[1:]).read_text("utf-8") if text.startswith("@") else text


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or "unknown" if isinstance(error, OSError) else "it is not UTF-8"
