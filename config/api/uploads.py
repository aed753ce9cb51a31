"""The one route whose bodies are large: they are taken in to disk, and then handed on."""

from __future__ import annotations

import json
import logging
from typing import IO, cast

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGISendCallable,
    HTTPScope,
    Scope,
)

from config.api.body_limit import replay, with_length
from config.api.problem import CONTENT_TYPE, Problem
from jobs.files import spool

logger = logging.getLogger(__name__)

PATH = "/api/v1/files"
_HEARD_OUT = 64 * 1024 * 1024  # so much of a refused body is read and thrown away


class TooLong(Exception):
    """The body is over the limit."""


class Gone(Exception):
    """The client left."""


class Uploads:
    """Spools the bodies of `POST /files`, whose files have at most `limit` bytes; everything else
    goes to `otherwise`.

    The application gets the spool in the scope and an empty body, which Django would only copy
    once more. So no request occupies a thread while its file trickles in, and none is ever whole
    in memory. A body over the limit, announced or not, is answered 413 at once; it is read on for
    a while all the same: a client that is still sending would see a reset instead.
    """

    def __init__(
        self, application: ASGI3Application, *, limit: int, otherwise: ASGI3Application
    ) -> None:
        self._application = application
        self._limit = limit
        self._otherwise = otherwise

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        if scope["type"] != "http" or (scope["method"], scope["path"]) != ("POST", PATH):
            await self._otherwise(scope, receive, send)
            return
        try:
            body, size = await self._taken_in(scope, receive)
        except TooLong:
            detail = f"A file may have {self._limit} bytes."
            await _refuse(Problem(status=413, detail=detail), scope, receive, send)
        except Gone:
            return
        except OSError as error:
            await _refuse(_no_room(error), scope, receive, send)
        else:
            with body:
                handed_on = cast("HTTPScope", {**with_length(scope, size), spool.BODY: body})
                await self._application(handed_on, replay(b"", receive), send)

    async def _taken_in(
        self, scope: HTTPScope, receive: ASGIReceiveCallable
    ) -> tuple[IO[bytes], int]:
        """The spooled body and its length. Raises TooLong, Gone, or OSError for a full disk."""
        body = spool.open_spool()
        try:
            size = await self._fill(body, scope, receive)
        except BaseException:
            body.close()
            raise
        return body, size

    async def _fill(self, body: IO[bytes], scope: HTTPScope, receive: ASGIReceiveCallable) -> int:
        longest = self._limit + spool.FRAMING
        if _announced(scope) > longest:
            raise TooLong
        size, more = 0, True
        while more:
            event = await receive()
            if event["type"] != "http.request":
                raise Gone
            size += len(event["body"])
            if size > longest:
                raise TooLong
            body.write(event["body"])
            more = event["more_body"]
        body.flush()  # a full disk is told here rather than to the view
        return size


def _announced(scope: HTTPScope) -> int:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(lengths[0]) if lengths and lengths[0].isdigit() else 0


def _no_room(error: OSError) -> Problem:
    logger.error("an upload could not be taken in: %s", error)
    if spool.is_full(error):
        return Problem(status=507, detail="There is no room for the file.")
    detail = "The file cannot be taken in now. Try again."
    return Problem(status=503, detail=detail, headers={"Retry-After": "30"})


async def _refuse(
    problem: Problem, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> None:
    """Answer at once, and hear the client out before the connection is closed."""
    body = json.dumps(problem.body(scope["path"])).encode()
    headers = {
        "content-type": CONTENT_TYPE,
        "content-length": str(len(body)),
        "connection": "close",
        **{name.lower(): value for name, value in problem.headers.items()},
    }
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send(
        {
            "type": "http.response.start",
            "status": problem.status,
            "headers": lines,
            "trailers": False,
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await _hear_out(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _hear_out(receive: ASGIReceiveCallable) -> None:
    heard, more = 0, True
    while more and heard < _HEARD_OUT:
        event = await receive()
        if event["type"] != "http.request":
            return
        heard += len(event["body"])
        more = event["more_body"]
