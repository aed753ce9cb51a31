"""How an answer begins: with a status of three digits, after as many interim ones as there are,
and with headers that are there to their end."""

from __future__ import annotations

import http.client
import io
import re
from http import HTTPStatus
from typing import cast

_MOST_BYTES = 64 * 1024
_FIRST_LINE = re.compile(rb"(HTTP/[0-9]\.[0-9])[ \t]+([1-9][0-9]{2})(?:[ \t]+([^\r\n]*))?\r?\n")


class FinalAnswer(http.client.HTTPResponse):
    """Python's own, which skips 100 alone, takes for a status whatever `int` reads, and headers
    that break off for all that there are."""

    def begin(self) -> None:
        line = self.fp
        self.fp = cast(io.BufferedReader, _Head(line))
        try:
            super().begin()
        finally:
            self.fp = line

    def _read_status(self) -> tuple[str, int, str]:
        """What Python's reader asks for first. Never 1xx: 101 was not asked for and is none of our
        protocol, and the others only say that there will be an answer."""
        while True:
            version, status, reason = self._first_line()
            if status >= HTTPStatus.OK:
                return version, status, reason
            if status == HTTPStatus.SWITCHING_PROTOCOLS:
                raise http.client.BadStatusLine(str(status))
            http.client.parse_headers(self.fp)

    def _first_line(self) -> tuple[str, int, str]:
        found = _FIRST_LINE.fullmatch(self.fp.readline(_MOST_BYTES))
        if found is None:
            raise http.client.BadStatusLine("none")
        return found[1].decode(), int(found[2]), (found[3] or b"").decode("latin-1")


class _Head:
    """The lines of a head, which has an end of its own before the connection's."""

    def __init__(self, line: io.BufferedReader) -> None:
        self._line = line

    def readline(self, most: int) -> bytes:
        if text := self._line.readline(most):
            return text
        raise http.client.RemoteDisconnected("within the head")
