"""One line for each request, and an id that joins it with every other line of that request."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from typing import Any

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGISendCallable,
    ASGISendEvent,
    HTTPScope,
    Scope,
)
from django.conf import settings
from structlog.contextvars import bind_contextvars, get_contextvars, reset_contextvars

from accounts.ids import new_id

logger = logging.getLogger(__name__)

HEADER = b"x-request-id"
_ACCEPTED = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
# Asked every few seconds by whoever watches over the process.
_PROBES = frozenset({"/healthz", "/readyz"})
# Answers to a request for a file as it should be.
_SERVED = frozenset({200, 304})


class RequestLog:
    """Takes the caller's `X-Request-ID` if it is one, else makes one; answers it; logs the request.

    The line has the path but not the query, no header and no body. What is bound while the request
    is worked on (its tenant) stands in the line too.
    """

    def __init__(self, application: ASGI3Application) -> None:
        self._application = application

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        request_id = request_id_of(scope)
        answer = _Answer(send, request_id)
        tokens = bind_contextvars(request_id=request_id)
        try:
            await self._application(scope, receive, answer)
        finally:
            _log(scope, answer)
            reset_contextvars(**tokens)


def request_id_of(scope: HTTPScope) -> str:
    """The caller's id; one of ours where it sent none, several, or a strange one."""
    sent = [value for name, value in scope["headers"] if name == HEADER]
    if len(sent) == 1 and _ACCEPTED.fullmatch(sent[0]):
        return sent[0].decode()
    return str(new_id())


class _Answer:
    """Passes the answer on with its request's id, and notes how it began."""

    def __init__(self, send: ASGISendCallable, request_id: str) -> None:
        self._send = send
        self._request_id = request_id.encode()
        self._began = time.perf_counter()
        self.status: int | None = None
        self.bound: Mapping[str, Any] = {}

    async def __call__(self, event: ASGISendEvent) -> None:
        if event["type"] == "http.response.start":
            self.status = event["status"]
            self.bound = get_contextvars()  # Django sends from the task in which the views ran
            headers = [*event["headers"], (HEADER, self._request_id)]
            event = {**event, "headers": headers}
        await self._send(event)

    @property
    def milliseconds(self) -> float:
        return round((time.perf_counter() - self._began) * 1000, 1)


def _log(scope: HTTPScope, answer: _Answer) -> None:
    path = ascii(scope["path"])[1:-1]
    level = logging.DEBUG if _is_routine(path, answer.status) else logging.INFO
    if not logger.isEnabledFor(level):
        return
    client = scope.get("client")
    taken = answer.milliseconds
    fields = {
        **answer.bound,
        "method": scope["method"],
        "path": path,
        "status": answer.status,
        "duration_ms": taken,
        "client": client[0] if client else None,
    }
    ending = f"{answer.status}" if answer.status else "nothing, the connection ended"
    logger.log(level, "%s %s: %s in %s ms", scope["method"], path, ending, taken, extra=fields)


def _is_routine(path: str, status: int | None) -> bool:
    """A watcher's question, or one of the many files that each page of the admin brings."""
    return path in _PROBES or (status in _SERVED and path.startswith(settings.STATIC_URL))
