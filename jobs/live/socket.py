"""The same events over a WebSocket, on which the client may name further jobs at any time.

Messages of the client: `{"subscribe": {"job_id": ID}, "after": MARK}` (`after` may be left out) and
`{"unsubscribe": {"job_id": ID}}`. With the first subscription the socket tells of the jobs that it
names and of nothing else any more. What cannot be done is answered by an event `error`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable
from pydantic import BaseModel, ConfigDict, ValidationError

from jobs.first_to_end import first_to_end
from jobs.live import rows
from jobs.live.asking import Answer
from jobs.live.events import Event, end_of
from jobs.live.grant import Grant, Wanted
from jobs.live.hub import DATABASE_AWAY, Hub
from jobs.live.listener import Listener, Why
from jobs.live.marks import Mark

logger = logging.getLogger(__name__)

MOST_JOBS = 1_000
MOST_CHARACTERS = 4_096
AT_ONCE, A_SECOND = 100, 20  # messages of a client that are read without a pause, and with
STUCK_SECONDS = 60.0
_WAIT_SECONDS = 60.0
_MAY_NO_MORE, _STOPPING, _TRY_AGAIN = 1008, 1012, 1013


class _Named(BaseModel):
    model_config = ConfigDict(extra="forbid")
    job_id: UUID


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid")
    subscribe: _Named | None = None
    unsubscribe: _Named | None = None
    after: str | None = None


class Socket:
    def __init__(self, hub: Hub, answer: Answer) -> None:
        assert answer.grant is not None
        self._hub = hub
        self._grant: Grant = answer.grant
        self._listener = Listener(self._grant)
        self._in_turn = asyncio.Lock()

    async def run(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        self._receive, self._send = receive, send
        began = time.monotonic()
        self._listener = self._hub.add(self._grant)
        try:
            await receive()  # that it wants to be accepted
            await self._write({"type": "websocket.accept", "subprotocol": None, "headers": []})
            await first_to_end(self._tell(), self._hear())
        except TimeoutError:
            logger.info("a client was let go: it takes nothing of its WebSocket")
        finally:
            self._hub.remove(self._listener)
            logger.info("a WebSocket was open for %.1f s", time.monotonic() - began)

    # --- telling -------------------------------------------------------------------------------

    async def _tell(self) -> None:
        listener = self._listener
        try:
            async with self._in_turn:
                listener.floor = await self._open(self._grant)
            while not listener.closed:
                event = await listener.next(_WAIT_SECONDS)
                async with self._in_turn:
                    if listener.behind:
                        listener.behind = False
                        now = replace(self._grant, wanted=listener.wanted, after=None)
                        listener.floor = await self._open(now, gap=True)
                    elif event is not None and listener.takes(event):
                        await self._say(event)
            code = _STOPPING if listener.closed is Why.STOPPING else _MAY_NO_MORE
        except DATABASE_AWAY:
            code = _TRY_AGAIN
        await self._write({"type": "websocket.close", "code": code, "reason": ""})

    async def _open(self, grant: Grant, *, gap: bool = False) -> Mark:
        events, end = await self._hub.opening(grant, gap=gap)
        for event in events:
            await self._say(event)
        return end

    async def _say(self, event: Event) -> None:
        await self._text(event.text(admin=self._grant.is_admin))
        wanted = self._listener.wanted
        if event.ends is not None and (event.ends in wanted.jobs or wanted.named_only):
            self._listener.wanted = wanted.without_job(event.ends)
            await self._text(end_of(event.ends, event.mark, event.at).text(admin=True))

    async def _text(self, text: bytes) -> None:
        await self._write({"type": "websocket.send", "text": text.decode(), "bytes": None})

    async def _write(self, event: Any) -> None:
        async with asyncio.timeout(STUCK_SECONDS):
            await self._send(event)

    # --- hearing -------------------------------------------------------------------------------

    async def _hear(self) -> None:
        """Messages are worked on one after the other: who sends many waits for itself."""
        allowance, at = float(AT_ONCE), time.monotonic()
        while True:
            told: Any = await self._receive()
            if told["type"] == "websocket.disconnect":
                return
            now = time.monotonic()
            allowance = min(AT_ONCE, allowance + (now - at) * A_SECOND) - 1
            at = now
            if allowance < 0:
                await asyncio.sleep(-allowance / A_SECOND)
            await self._heed(told.get("text") or "")

    async def _heed(self, text: str) -> None:
        try:
            message = _message(text)
        except (ValueError, ValidationError):
            await self._refuse(422, "A message names one job to subscribe or unsubscribe.", None)
            return
        if message.unsubscribe is not None:
            job_id = message.unsubscribe.job_id
            self._listener.wanted = self._listener.wanted.without_job(job_id)
        elif message.subscribe is not None:
            await self._subscribe(message.subscribe.job_id, message.after)

    async def _subscribe(self, job_id: UUID, after: str | None) -> None:
        if len(self._listener.wanted.jobs) >= MOST_JOBS:
            await self._refuse(422, f"A socket watches at most {MOST_JOBS} jobs.", job_id)
            return
        try:
            if not await self._may_see(job_id):
                await self._refuse(404, "Not found.", job_id)
                return
            await self._begin(job_id, after)
        except DATABASE_AWAY:
            await self._refuse(503, "The database is away. Try again.", job_id)

    async def _may_see(self, job_id: UUID) -> bool:
        tenant = self._grant.tenant_id
        return await self._hub.loader.for_watcher(tenant, rows.may_see, self._grant, job_id)

    async def _begin(self, job_id: UUID, after: str | None) -> None:
        """First what there is of the job; what happens meanwhile is held, and follows."""
        self._listener.hold(job_id)
        reached: Mark | None = None
        try:
            one = Wanted(jobs=frozenset({job_id}), named_only=True)
            events, end = await self._hub.opening(replace(self._grant, wanted=one, after=after))
            async with self._in_turn:
                self._listener.wanted = self._listener.wanted.with_job(job_id)
                for event in events:
                    await self._say(event)
            reached = end if job_id in self._listener.wanted.jobs else None
        finally:
            self._listener.release(job_id, reached)

    async def _refuse(self, status: int, detail: str, job_id: UUID | None) -> None:
        told = {
            "event": "error",
            "timestamp": datetime.now(UTC).isoformat(),
            "id": None,
            "data": {"status": status, "detail": detail, "job_id": job_id and str(job_id)},
        }
        async with self._in_turn:
            await self._text(json.dumps(told).encode())


def _message(text: str) -> _Message:
    """Raises ValueError."""
    if len(text) > MOST_CHARACTERS:
        raise ValueError("too long")
    message = _Message.model_validate(json.loads(text))
    if (message.subscribe is None) == (message.unsubscribe is None):
        raise ValueError("one of both")
    return message
