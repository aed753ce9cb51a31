"""Would the application take this request's body? Asked with the headers alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveEvent,
    ASGISendEvent,
    HTTPDisconnectEvent,
    HTTPScope,
)

from config.api.body_limit import replay
from jobs.files import spool

_WILLING = 204


async def refusal_of(application: ASGI3Application, scope: HTTPScope) -> Sequence[ASGISendEvent]:
    """What the application answers to a body that it does not want; nothing where it is willing.

    It is the very way that the request will go with its body, so who may send one is decided in
    one place: the view's authentication, permissions and parameters.
    """
    answered: list[ASGISendEvent] = []

    async def keep(event: ASGISendEvent) -> None:
        answered.append(event)

    question = cast("HTTPScope", {**scope, spool.QUESTION: True})
    await application(question, replay(b"", _for_ever), keep)
    start = answered[0]
    assert start["type"] == "http.response.start"
    return [] if start["status"] == _WILLING else answered


async def _for_ever() -> ASGIReceiveEvent:
    """Whether the client leaves is not looked at: its body would be read."""
    await asyncio.Event().wait()
    return HTTPDisconnectEvent(type="http.disconnect")
