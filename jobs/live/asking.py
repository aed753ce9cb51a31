"""A question to the view: the same request, without its body's wait, and the answer kept."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any, cast

from asgiref.typing import ASGI3Application, ASGIReceiveEvent, ASGISendCallable, HTTPScope, Scope

from jobs.live.grant import Grant

GRANT = "celeriac.grant"  # a list in the scope, into which the view puts it

Headers = list[tuple[bytes, bytes]]


class Answer:
    """What the view said of a request to `path`, and whether it granted the stream."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.status = 500
        self.headers: Headers = []
        self.body = b""
        self.grants: list[Grant] = []

    @property
    def grant(self) -> Grant | None:
        return self.grants[0] if self.grants and self.status == 200 else None

    async def hear(self, event: Any) -> None:
        if event["type"] == "http.response.start":
            self.status = event["status"]
            self.headers = [(bytes(name), bytes(value)) for name, value in event["headers"]]
        elif event["type"] == "http.response.body":
            self.body += event.get("body", b"")

    def replace(self, status: int, detail: str) -> None:
        """Another answer, from here on."""
        self.status, self.grants = status, []
        problem = {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            "instance": self._path,
            "errors": [],
        }
        self.body = json.dumps(problem).encode()
        kept = self.without(b"content-length", b"content-type")
        self.headers = [
            *kept,
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(self.body)).encode()),
            (b"retry-after", b"5"),
        ]

    def without(self, *names: bytes) -> Headers:
        return [line for line in self.headers if line[0].lower() not in names]

    async def pass_on(self, send: ASGISendCallable) -> None:
        await self._tell(send, "http.response")

    async def deny(self, scope: Any, send: ASGISendCallable) -> None:
        """To a WebSocket that is not accepted: the whole answer where the server can send one."""
        if "websocket.http.response" in (scope.get("extensions") or {}):
            await self._tell(send, "websocket.http.response")
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": ""})

    async def _tell(self, send: ASGISendCallable, kind: str) -> None:
        told: Any = {"type": f"{kind}.start", "status": self.status, "headers": self.headers}
        await send(told)
        told = {"type": f"{kind}.body", "body": self.body, "more_body": False}
        await send(told)


async def ask(application: ASGI3Application, scope: HTTPScope) -> Answer:
    """Put the request to the view. A body is not looked at: a GET has none."""
    answer = Answer(scope["path"])
    asked = {**scope, GRANT: answer.grants}
    begun = False

    async def receive() -> ASGIReceiveEvent:
        nonlocal begun
        if begun:
            await asyncio.Event().wait()  # the caller stays until there is an answer
        begun = True
        return {"type": "http.request", "body": b"", "more_body": False}

    await application(cast("Scope", asked), receive, answer.hear)
    return answer
