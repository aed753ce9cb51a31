"""Calls that take many jobs at once: bodies larger than others may have, few of them at a time."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    HTTPDisconnectEvent,
    HTTPScope,
    Scope,
)

from config.api.answering import answer
from config.api.asking import refusal_of
from config.api.body_limit import BodyLimit
from config.api.problem import Problem
from config.api.uploads import refuse

AT_ONCE = 4  # large bodies that one process holds in memory
LONGEST_SECONDS = 60  # in which one must come in
GRACE_SECONDS = 5.0  # to begin
LEAST_RATE = 64 * 1024  # bytes a second, from then on
_BUSY = Problem(
    status=503,
    detail="Too many large bodies are coming in at once. Try again.",
    headers={"Retry-After": "10"},
)


class LargeBodies:
    """Bodies of more than `small` and at most `limit` bytes for the paths that `take_many`;
    everything else goes to `otherwise`.

    Of one caller one at a time: nobody keeps the others out. The application is asked first, with
    the headers alone: nobody who may not make the call has a body of this size read. The view
    must know the question: `jobs.api.many`.
    """

    def __init__(
        self,
        application: ASGI3Application,
        *,
        limit: int,
        small: int,
        take_many: Callable[[str], bool],
        otherwise: ASGI3Application,
    ) -> None:
        self._application = application
        self._limited = BodyLimit(application, limit=limit)
        self._small = small
        self._take_many = take_many
        self._otherwise = otherwise
        self._held: set[bytes] = set()  # whose bodies

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        if scope["type"] != "http" or not self._takes_many(scope):
            await self._otherwise(scope, receive, send)
            return
        announced = _announced(scope)
        if announced is None:
            first, whole = await _beginning(receive, self._small)
            receive = _replayed(first, receive)
            announced = 0 if whole else self._small + 1
        if announced <= self._small:
            await self._otherwise(scope, receive, send)
        else:
            await self._take(scope, receive, send)

    async def _take(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        if refusal := await refusal_of(self._application, scope):
            await refuse(refusal, receive, send)
            return
        caller = _caller(scope)
        if caller in self._held or len(self._held) >= AT_ONCE:
            await answer(_BUSY, scope["path"], send)
            return
        with self._holding(caller):
            await self._limited(scope, _in_time(receive), send)

    @contextmanager
    def _holding(self, caller: bytes) -> Iterator[None]:
        self._held.add(caller)
        try:
            yield
        finally:
            self._held.discard(caller)

    def _takes_many(self, scope: HTTPScope) -> bool:
        return scope["method"] == "POST" and self._take_many(scope["path"])


def _announced(scope: HTTPScope) -> int | None:
    """The length of the body, where it was told."""
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"0")
    return int(length) if length.isdigit() and b"transfer-encoding" not in headers else None


def _caller(scope: HTTPScope) -> bytes:
    """Whose token it is, as a digest; all browser sessions, which seldom send such, are one."""
    authorization = dict(scope["headers"]).get(b"authorization", b"")
    scheme, _, token = authorization.partition(b" ")
    return hashlib.sha256(token if scheme.lower() == b"bearer" else b"").digest()


async def _beginning(
    receive: ASGIReceiveCallable, most: int
) -> tuple[list[ASGIReceiveEvent], bool]:
    """What comes in until it is more than `most` bytes, and whether it has ended before that."""
    events: list[ASGIReceiveEvent] = []
    size, more = 0, True
    while more and size <= most:
        event = await receive()
        events.append(event)
        if event["type"] != "http.request":
            return events, True
        size += len(event["body"])
        more = event["more_body"]
    return events, size <= most


def _replayed(first: list[ASGIReceiveEvent], receive: ASGIReceiveCallable) -> ASGIReceiveCallable:
    left = iter(first)

    async def received() -> ASGIReceiveEvent:
        return next(left, None) or await receive()

    return received


def _in_time(receive: ASGIReceiveCallable) -> ASGIReceiveCallable:
    """A client that has not sent everything by then, or sends too slowly, is treated as gone."""
    now = asyncio.get_running_loop().time()
    end, by = now + LONGEST_SECONDS, now + GRACE_SECONDS
    whole = False

    async def received() -> ASGIReceiveEvent:
        nonlocal whole, by
        if whole:  # what comes now is the client's leaving, which may be waited for
            return await receive()
        try:
            async with asyncio.timeout_at(min(by, end)):
                event = await receive()
        except TimeoutError:
            return HTTPDisconnectEvent(type="http.disconnect")
        if event["type"] == "http.request":
            by += len(event["body"]) / LEAST_RATE
            whole = not event["more_body"]
        return event

    return received
