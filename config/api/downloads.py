"""Files on their way out: sent after the view's thread has been given back, a chunk at a time."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import cast

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGISendCallable,
    ASGISendEvent,
    HTTPResponseBodyEvent,
    HTTPScope,
    Scope,
)

from jobs.artifacts.download import OFFER, Offer, Part
from jobs.first_to_end import first_to_end

logger = logging.getLogger(__name__)

READERS = 4  # threads that read from the disk, for all downloads together
LONGEST_PAUSE_SECONDS = 60  # in which a client takes nothing; then it is let go


class Downloads:
    """Lets a view answer with the headers alone and offer a file (`jobs.artifacts.download`).

    A slow client holds a connection and an open file, but no thread and no database connection.
    """

    def __init__(self, application: ASGI3Application) -> None:
        self._application = application
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="download")

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._application(scope, receive, send)
            return
        offer = Offer()

        async def without_end(event: ASGISendEvent) -> None:
            if offer.part is not None and event["type"] == "http.response.body":
                event = {**event, "more_body": True}
            await send(event)

        try:
            offered = cast("HTTPScope", {**scope, OFFER: offer})
            await self._application(offered, receive, without_end)
            if offer.part is not None:
                await self._send_to_listener(offer.part, receive, send)
        except TimeoutError:
            logger.info("a client was let go: it takes nothing of %s", scope["path"])
        finally:
            if offer.part is not None:
                self._readers.submit(offer.part.close)  # it may wait for the end of a reading

    async def _send_to_listener(
        self, part: Part, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Until all is sent, or the client has left."""
        await first_to_end(self._send(part, send), _until_gone(receive))

    async def _send(self, part: Part, send: ASGISendCallable) -> None:
        loop = asyncio.get_running_loop()
        while data := await loop.run_in_executor(self._readers, part.read):
            async with asyncio.timeout(LONGEST_PAUSE_SECONDS):
                await send(_body(data, more=True))
        if not part.left:  # else the file was cut short, and the client must not take it for whole
            await send(_body(b"", more=False))


async def _until_gone(receive: ASGIReceiveCallable) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _body(data: bytes, *, more: bool) -> HTTPResponseBodyEvent:
    return HTTPResponseBodyEvent(type="http.response.body", body=data, more_body=more)
