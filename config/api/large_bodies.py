"""Calls that take many jobs at once: bodies larger than others may have, few of them at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

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
_BUSY = Problem(
    status=503,
    detail="Too many large bodies are coming in at once. Try again.",
    headers={"Retry-After": "10"},
)


class LargeBodies:
    """Bodies of more than `small` and at most `limit` bytes for the paths that `take_many`;
    everything else goes to `otherwise`.

    The application is asked first, with the headers alone: nobody who may not make the call has
    a body of this size read. The view must know the question: `jobs.api.many`.
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
        self._held = 0

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        if scope["type"] != "http" or not self._is_large(scope):
            await self._otherwise(scope, receive, send)
        elif refusal := await refusal_of(self._application, scope):
            await refuse(refusal, receive, send)
        elif self._held >= AT_ONCE:
            await answer(_BUSY, scope["path"], send)
        else:
            self._held += 1
            try:
                await self._limited(scope, _in_time(receive), send)
            finally:
                self._held -= 1

    def _is_large(self, scope: HTTPScope) -> bool:
        """A body whose length is not announced may be."""
        if scope["method"] != "POST" or not self._take_many(scope["path"]):
            return False
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        return b"transfer-encoding" in headers or not length.isdigit() or int(length) > self._small


def _in_time(receive: ASGIReceiveCallable) -> ASGIReceiveCallable:
    """A client that has not sent everything by then is treated as gone."""
    end = asyncio.get_running_loop().time() + LONGEST_SECONDS
    whole = False

    async def received() -> ASGIReceiveEvent:
        nonlocal whole
        if whole:  # what comes now is the client's leaving, which may be waited for
            return await receive()
        try:
            async with asyncio.timeout_at(end):
                event = await receive()
        except TimeoutError:
            return HTTPDisconnectEvent(type="http.disconnect")
        whole = event["type"] == "http.request" and not event["more_body"]
        return event

    return received
