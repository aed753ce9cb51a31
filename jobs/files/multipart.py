"""The parts of a multipart/form-data body (RFC 7578), found where they lie in a file on disk.

Strict, unlike Django's parser, which takes a body that breaks off in the middle for a whole one,
and skips a part that it does not understand. Nothing is copied: a part is a stretch of the body.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import IO

from django.utils.http import parse_header_parameters

CHUNK = 64 * 1024
MAX_PARTS = 8
MAX_HEADERS = 8 * 1024  # bytes of one part's headers
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")


class Malformed(Exception):
    """The body is no multipart/form-data."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """`filename` is None for a plain field. The content is `size` bytes from `start` on."""

    name: str
    filename: str | None
    content_type: str
    start: int
    size: int


def parts(body: IO[bytes], content_type: str) -> list[Part]:
    """The parts in their order. Raises Malformed, also for more than MAX_PARTS."""
    delimiter = b"\r\n--" + _boundary(content_type)
    marks = list(_marks(body, delimiter))
    if not marks or not _closes(body, marks[-1] + len(delimiter)):
        raise Malformed("it breaks off")
    return [
        _part(body, _after_line(body, mark + len(delimiter)), end) for mark, end in pairwise(marks)
    ]


def _boundary(content_type: str) -> bytes:
    _, parameters = _parameters(content_type)
    boundary = parameters.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise Malformed("its Content-Type names no boundary")
    return boundary.encode()


def _marks(body: IO[bytes], delimiter: bytes) -> Iterator[int]:
    """Where a delimiter stands, up to the closing one. The first needs no line break before it."""
    found = 0
    for mark in _positions(body, delimiter):
        if (found := found + 1) > MAX_PARTS + 1:
            raise Malformed(f"it has more than {MAX_PARTS} parts")
        yield mark
        if _closes(body, mark + len(delimiter)):
            return


def _positions(body: IO[bytes], delimiter: bytes) -> Iterator[int]:
    """Every place of the delimiter, as if a line break stood before the body."""
    held, at = b"\r\n", -2  # `held` begins at position `at` of the body
    position = 0
    while True:
        body.seek(position)
        chunk = body.read(CHUNK)
        position += len(chunk)
        held += chunk
        start = 0
        while (hit := held.find(delimiter, start)) >= 0:
            yield at + hit
            start = hit + len(delimiter)
        if not chunk:
            return
        kept = held[max(start, len(held) - len(delimiter) + 1) :]
        at, held = at + len(held) - len(kept), kept


def _closes(body: IO[bytes], position: int) -> bool:
    body.seek(position)
    return body.read(2) == b"--"


def _after_line(body: IO[bytes], position: int) -> int:
    """Where the line ends that a delimiter stands on; blanks may follow it."""
    body.seek(position)
    rest = body.read(80)
    blanks = len(rest) - len(rest.lstrip(b" \t"))
    if rest[blanks : blanks + 2] != b"\r\n":
        raise Malformed("a boundary does not end its line")
    return position + blanks + 2


def _part(body: IO[bytes], start: int, end: int) -> Part:
    body.seek(start)
    block = b"\r\n" + body.read(min(MAX_HEADERS, max(0, end - start)))
    head, blank, _ = block.partition(b"\r\n\r\n")
    if not blank:
        raise Malformed("a part's headers do not end, or are too long")
    headers = _headers(head)
    name, filename = _disposition(headers.get("content-disposition", ""))
    if headers.get("content-transfer-encoding", "binary").lower() not in ("binary", "8bit", "7bit"):
        raise Malformed("a part is encoded; send its bytes as they are")
    content = start + len(head) + len(blank) - 2
    return Part(
        name=name,
        filename=filename,
        content_type=headers.get("content-type", ""),
        start=content,
        size=end - content,
    )


def _headers(head: bytes) -> dict[str, str]:
    headers = {}
    for line in head.decode("utf-8", "replace").split("\r\n")[1:]:
        name, colon, value = line.partition(":")
        if not colon or name != name.strip() or name.lower() in headers:
            raise Malformed("a part has a malformed or repeated header")
        headers[name.lower()] = value.strip()
    return headers


def _disposition(value: str) -> tuple[str, str | None]:
    kind, parameters = _parameters(value)
    if kind != "form-data" or "name" not in parameters:
        raise Malformed("a part is not named as form data")
    return parameters["name"], parameters.get("filename")


def _parameters(header: str) -> tuple[str, dict[str, str]]:
    """Nothing of a header that cannot be read."""
    try:
        kind, parameters = parse_header_parameters(header)
    except (LookupError, TypeError, ValueError):  # what Django's parser raises for hostile values
        return "", {}
    return kind, parameters
