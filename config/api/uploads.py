"""The one route whose bodies are large: they are taken in to disk, and then handed on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGISendCallable,
    ASGISendEvent,
    HTTPResponseStartEvent,
    HTTPScope,
    Scope,
)

from config.api.answering import events_of
from config.api.asking import refusal_of
from config.api.body_limit import replay, with_length
from config.api.intake import Gone, Intake, Refused
from jobs.files import spool

PATH = "/api/v1/files"
_HEARD_OUT = 64 * 1024 * 1024  # so much of a refused body is read and thrown away
_HEARING_SECONDS = 60


class Uploads:
    """Spools the bodies of `POST /files`, whose files have at most `limit` bytes; everything else
    goes to `otherwise`.

    The application is asked first, with the headers alone, so nothing is read or kept of who may
    not send. Then it gets the spool in the scope and an empty body, which Django would only copy
    once more. So no request occupies a thread while its file trickles in, and none is ever whole
    in memory. A refusal is answered at once; the body is read on for a while all the same: a
    client that is still sending would see a reset instead.
    """

    def __init__(
        self, application: ASGI3Application, *, limit: int, otherwise: ASGI3Application
    ) -> None:
        self._application = application
        self._intake = Intake(limit)
        self._otherwise = otherwise

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        if scope["type"] != "http" or (scope["method"], scope["path"]) != ("POST", PATH):
            await self._otherwise(scope, receive, send)
            return
        refusal = await refusal_of(self._application, scope)
        if not refusal:
            refusal = await self._hand_on(scope, receive, send)
        if refusal:
            await refuse(refusal, receive, send)

    async def _hand_on(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> Sequence[ASGISendEvent]:
        """The body, taken in, to the application; or why it was not taken in."""
        try:
            async with self._intake.taken_in(scope, receive) as (body, size):
                handed_on = cast("HTTPScope", {**with_length(scope, size), spool.BODY: body})
                await self._application(handed_on, replay(b"", receive), send)
        except Refused as refused:
            return events_of(refused.problem, scope["path"])
        except Gone:
            pass
        return ()


async def refuse(
    answer: Sequence[ASGISendEvent], receive: ASGIReceiveCallable, send: ASGISendCallable
) -> None:
    """Answer at once, and hear the client out before the connection is closed."""
    for event in answer:
        if event["type"] == "http.response.start":
            await send(_closing(event))
        elif event["type"] == "http.response.body":
            await send({**event, "more_body": True})
    await _hear_out(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _closing(start: HTTPResponseStartEvent) -> HTTPResponseStartEvent:
    kept = [line for line in start["headers"] if line[0].lower() != b"connection"]
    return {**start, "headers": [*kept, (b"connection", b"close")]}


async def _hear_out(receive: ASGIReceiveCallable) -> None:
    heard, more = 0, True
    try:
        async with asyncio.timeout(_HEARING_SECONDS):
            while more and heard < _HEARD_OUT:
                event = await receive()
                if event["type"] != "http.request":
                    return
                heard += len(event["body"])
                more = event["more_body"]
    except TimeoutError:
        return
