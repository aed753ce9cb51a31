"""Streams in front of Django: its threads are asked who may watch, and hold none of them open.

The request is put to the view of `GET /events` as it came (a WebSocket's as the GET that it began
as). Where the view refuses, its answer is passed on. Where it grants, the stream follows here.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import Any, cast

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGISendCallable,
    HTTPScope,
    Scope,
)

from jobs.live.asking import Answer, ask
from jobs.live.care import Care
from jobs.live.hub import Hub
from jobs.live.socket import Socket
from jobs.live.sse import Sse

EVENTS = "/api/v1/events"
SOCKET = "/ws/v1/events"
_FULL = "This process has as many streams open as it may. Try again."


class Streams:
    """At most `most` streams at once, of one tenant half as many."""

    def __init__(self, application: ASGI3Application, *, most: int) -> None:
        self._application = application
        self._most = most
        self._hub: Hub | None = None

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == EVENTS and scope["method"] == "GET":
            answer = await ask(self._application, scope)
            if self._refused(answer):
                await answer.pass_on(send)
            else:
                await Sse(self._running(), answer).run(receive, send)
        else:
            await self._application(scope, receive, send)

    async def _socket(self, scope: Any, receive: ASGIReceiveCallable, send: Any) -> None:
        known = scope["path"] == SOCKET
        answer = await ask(self._application, as_get(scope, EVENTS if known else scope["path"]))
        if not known or self._refused(answer):
            await answer.deny(scope, send)
        else:
            await Socket(self._running(), answer).run(receive, send)

    def _refused(self, answer: Answer) -> bool:
        if answer.grant is None:
            return True
        hub = self._running()
        mine = len(hub.listeners.get(answer.grant.tenant_id, ()))
        if hub.count < self._most and mine < max(1, self._most // 2):
            return False
        answer.replace(503, _FULL)
        return True

    def _running(self) -> Hub:
        if self._hub is None:
            self._hub = Hub()
            care = Care(self._hub)
            self._hub.start(care.run, care.run_for_watchers)
            _end_on_signals(self._hub)
        return self._hub


def as_get(scope: Any, path: str) -> HTTPScope:
    """The request that a WebSocket began as, to `path`."""
    secure = scope.get("scheme") in ("wss", "https")
    headers = [line for line in scope["headers"] if not _is_of_socket(line[0])]
    request = {
        **{key: value for key, value in scope.items() if key != "subprotocols"},
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https" if secure else "http",
        "path": path,
        "raw_path": path.encode(),
        "headers": headers,
        "extensions": {},
    }
    return cast("HTTPScope", request)


def _is_of_socket(name: bytes) -> bool:
    return name in (b"upgrade", b"connection") or name.startswith(b"sec-websocket-")


def _end_on_signals(hub: Hub) -> None:
    """The server waits for open answers before it stops: end them when it is asked to."""
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)
        if not callable(before):
            continue

        def end(number: int, frame: Any, before: Any = before) -> None:
            loop.call_soon_threadsafe(hub.end)
            before(number, frame)

        signal.signal(number, end)
