"""Bodies on their way to disk: how large, how many at once, and how long each may take."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from typing import IO

from asgiref.typing import ASGIReceiveCallable, HTTPRequestEvent, HTTPScope

from config.api.problem import Problem
from jobs.files import spool

logger = logging.getLogger(__name__)

AT_ONCE = 32  # uploads in one process
WHOLE_BODIES = 8  # so many bodies of the largest size fit into one process's room on disk
STALL_SECONDS = 30  # without a byte
LONGEST_SECONDS = 600

_BUSY = Problem(
    status=503,
    detail="Too many files are coming in at once. Try again.",
    headers={"Retry-After": "30"},
)
_TOO_SLOW = Problem(
    status=408,
    detail=f"A file must come in within {LONGEST_SECONDS} s, and never pause for"
    f" {STALL_SECONDS} s.",
)


class Refused(Exception):
    """The body is not taken in; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class Gone(Exception):
    """The client left."""


@dataclass(kw_only=True)
class _Upload:
    body: IO[bytes]
    ends: float
    size: int = 0


class Intake:
    """What one process holds of the bodies of files that have at most `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._longest = limit + spool.FRAMING
        self._uploads = 0
        self._bytes = 0

    @asynccontextmanager
    async def taken_in(
        self, scope: HTTPScope, receive: ASGIReceiveCallable
    ) -> AsyncIterator[tuple[IO[bytes], int]]:
        """The whole body on disk, and its length. Raises Refused or Gone.

        At the end of the block nothing of it is left, and its room is free again.
        """
        if _announced(scope) > self._longest:
            raise Refused(self._too_long)
        if self._uploads >= AT_ONCE:
            raise Refused(_BUSY)
        self._uploads += 1
        try:
            with closing(_opened()) as body:
                async with self._filled(body, receive) as size:
                    yield body, size
        finally:
            self._uploads -= 1

    @asynccontextmanager
    async def _filled(self, body: IO[bytes], receive: ASGIReceiveCallable) -> AsyncIterator[int]:
        upload = _Upload(body=body, ends=asyncio.get_running_loop().time() + LONGEST_SECONDS)
        try:
            more = True
            while more:
                event = await _next(receive, upload.ends)
                self._add(event["body"], upload)
                more = event["more_body"]
            _flush(body)
            yield upload.size
        finally:
            self._bytes -= upload.size

    def _add(self, data: bytes, upload: _Upload) -> None:
        if upload.size + len(data) > self._longest:
            raise Refused(self._too_long)
        if self._bytes + len(data) > WHOLE_BODIES * self._longest:
            raise Refused(_BUSY)
        upload.size += len(data)
        self._bytes += len(data)
        try:
            upload.body.write(data)
        except OSError as error:
            raise _not_written(error) from error

    @property
    def _too_long(self) -> Problem:
        return Problem(status=413, detail=f"A file may have {self._limit} bytes.")


async def _next(receive: ASGIReceiveCallable, ends: float) -> HTTPRequestEvent:
    pause = asyncio.get_running_loop().time() + STALL_SECONDS
    try:
        async with asyncio.timeout_at(min(pause, ends)):
            event = await receive()
    except TimeoutError:
        raise Refused(_TOO_SLOW) from None
    if event["type"] != "http.request":
        raise Gone
    return event


def _opened() -> IO[bytes]:
    try:
        return spool.open_spool()
    except OSError as error:
        raise _not_written(error) from error


def _flush(body: IO[bytes]) -> None:
    """A full disk is told here rather than to the view."""
    try:
        body.flush()
    except OSError as error:
        raise _not_written(error) from error


def _announced(scope: HTTPScope) -> int:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(lengths[0]) if lengths and lengths[0].isdigit() else 0


def _not_written(error: OSError) -> Refused:
    logger.error("an upload could not be taken in: %s", error)
    if spool.is_full(error):
        return Refused(Problem(status=507, detail="There is no room for the file."))
    detail = "The file cannot be taken in now. Try again."
    return Refused(Problem(status=503, detail=detail, headers={"Retry-After": "30"}))
