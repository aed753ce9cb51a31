"""A stream of server-sent events over plain HTTP."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable

from jobs.first_to_end import first_to_end
from jobs.live.asking import Answer
from jobs.live.events import Event, end_of
from jobs.live.grant import Grant
from jobs.live.hub import DATABASE_AWAY, Hub
from jobs.live.listener import Listener

logger = logging.getLogger(__name__)

BEAT_SECONDS = 15.0
STUCK_SECONDS = 60.0  # a client that takes nothing for so long is gone
_BEAT = b": still here\n\n"
_BEGIN = b"retry: 2000\n\n"  # milliseconds after which a browser that lost the stream asks again


class Sse:
    def __init__(self, hub: Hub, answer: Answer) -> None:
        assert answer.grant is not None
        self._hub = hub
        self._answer = answer
        self._grant: Grant = answer.grant

    async def run(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Until the client leaves, its one job has ended, or it may watch no more."""
        self._send: Any = send
        listener = self._hub.add(self._grant)
        try:
            await first_to_end(self._until_gone(receive), self._tell(listener))
        except TimeoutError:
            logger.info("a client was let go: it takes nothing of its stream")
        finally:
            self._hub.remove(listener)

    async def _until_gone(self, receive: ASGIReceiveCallable) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def _tell(self, listener: Listener) -> None:
        await self._begin()
        try:
            over = await self._open(listener, self._grant)
            while not over and not listener.closed:
                event = await listener.next(BEAT_SECONDS)
                if listener.behind:
                    listener.behind = False
                    over = await self._open(listener, replace(self._grant, after=None), gap=True)
                elif event is not None:
                    over = await self._say(event)
                elif not listener.closed:
                    await self._write(_BEAT)
        except DATABASE_AWAY:
            pass  # the client comes again
        await self._write(b"", more=False)

    async def _open(self, listener: Listener, grant: Grant, *, gap: bool = False) -> bool:
        events, listener.floor = await self._hub.opening(grant, gap=gap)
        for event in events:
            if await self._say(event):
                return True
        return False

    async def _say(self, event: Event) -> bool:
        """Whether the stream is over with it: the one job that it is about has ended."""
        admin = self._grant.is_admin
        await self._write(event.frame(admin=admin))
        if event.ends is None or event.ends != self._grant.the_one:
            return False
        await self._write(end_of(event.ends, event.mark, event.at).frame(admin=admin))
        return True

    async def _begin(self) -> None:
        headers = self._answer.without(b"content-length")
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._write(_BEGIN)

    async def _write(self, body: bytes, *, more: bool = True) -> None:
        async with asyncio.timeout(STUCK_SECONDS):
            await self._send({"type": "http.response.body", "body": body, "more_body": more})
