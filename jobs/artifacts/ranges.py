"""Which part of a file a `Range` header asks for (RFC 9110, 14). Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

_ONE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class Span(NamedTuple):
    start: int
    size: int


class Unsatisfiable(Exception):
    """No byte of the file is in the range."""


def span_of(header: str | None, size: int) -> Span | None:
    """The part; None means the whole: nothing was asked for, or several parts, or no range."""
    match = _ONE.fullmatch(header.strip()) if header else None
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:  # the last so many bytes
        start, end = max(0, size - int(match[2])), size
    else:
        start, end = int(match[1]), min(size, int(match[2]) + 1) if match[2] else size
        if match[2] and int(match[2]) < start:
            return None
    if start >= end:
        raise Unsatisfiable
    return Span(start, end - start)
