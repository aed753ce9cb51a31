"""No request body is larger than it may be, and none occupies a thread while it trickles in."""

from __future__ import annotations

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    HTTPRequestEvent,
    HTTPScope,
    Scope,
)

from config.api.answering import answer
from config.api.problem import Problem

_PATIENCE = 32  # so many times the limit is read and thrown away


class BodyLimit:
    """Takes in a request's whole body before the application sees the request.

    A body over `limit` bytes, announced or not, is not kept and answered 413. It is read on for a
    while all the same: a client that is still sending would see a reset instead of the answer.
    A body sent in chunks gets the Content-Length that it turned out to have.
    """

    def __init__(self, application: ASGI3Application, *, limit: int) -> None:
        self._application = application
        self._limit = limit

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        body = await self._whole(receive)
        if body is None:  # the client left
            return
        if len(body) > self._limit:
            problem = Problem(status=413, detail=f"The body may have {self._limit} bytes.")
            await answer(problem, scope["path"], send)
            return
        await self._application(with_length(scope, len(body)), replay(body, receive), send)

    async def _whole(self, receive: ASGIReceiveCallable) -> bytes | None:
        """The body; of one that is too large, as much as shows it; None where the client left."""
        body, size, more = bytearray(), 0, True
        while more and size <= _PATIENCE * self._limit:
            event = await receive()
            if event["type"] != "http.request":
                return None
            size += len(event["body"])
            if len(body) <= self._limit:
                body += event["body"]
            more = event["more_body"]
        return bytes(body)


def with_length(scope: HTTPScope, length: int) -> HTTPScope:
    """The scope of a body sent in chunks, as if its length had been announced."""
    headers = dict(scope["headers"])
    if b"transfer-encoding" not in headers:
        return scope
    kept = [
        (name, value)
        for name, value in scope["headers"]
        if name not in (b"transfer-encoding", b"content-length")
    ]
    changed = scope.copy()
    changed["headers"] = [*kept, (b"content-length", str(length).encode())]
    return changed


def replay(body: bytes, receive: ASGIReceiveCallable) -> ASGIReceiveCallable:
    """A `receive` that gives the body first, and then what the client does next."""
    first: list[HTTPRequestEvent] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> ASGIReceiveEvent:
        return first.pop() if first else await receive()

    return replayed
