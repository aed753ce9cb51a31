"""Files on their way out, by the calls of ASGI alone."""

from __future__ import annotations

import asyncio
import io
from typing import Any

from config.api.downloads import Downloads
from jobs.artifacts.download import CHUNK, OFFER, Part


class Endless(io.RawIOBase):
    reads = 0

    def read(self, size: int = -1) -> bytes:
        self.reads += 1
        return b"x" * size


async def _offering(scope: Any, receive: Any, send: Any) -> None:
    scope[OFFER].part = Part(file=scope["file"], left=10**15)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _left_after(chunks: int, file: Any) -> None:
    leaves, sent = asyncio.Event(), 0

    async def receive() -> Any:
        await leaves.wait()
        return {"type": "http.disconnect"}

    async def send(event: Any) -> None:  # as uvicorn: what is sent to nobody is dropped in silence
        nonlocal sent
        sent += len(event.get("body", b""))
        if sent >= chunks * CHUNK:
            leaves.set()

    scope: Any = {"type": "http", "method": "GET", "path": "/", "file": file}
    await asyncio.wait_for(Downloads(_offering)(scope, receive, send), timeout=30)


def test_nothing_more_is_read_for_a_client_that_left() -> None:
    file = Endless()
    asyncio.run(_left_after(3, file))
    assert file.reads < 100
