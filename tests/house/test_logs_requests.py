"""One line and one id for each request."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast
from uuid import UUID

import pytest
from asgiref.typing import ASGI3Application
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

from config.logs.requests import RequestLog

CANARY = "canary-7Qx9mK2p"
OWN = "config.logs.requests"


@pytest.fixture(autouse=True)
def _nothing_bound() -> None:
    """Views that other tests called in this process leave their tenant bound."""
    clear_contextvars()


class Application:
    """Answers, and notes what was bound meanwhile."""

    def __init__(self, *, status: int | None = 200) -> None:
        self._status = status
        self.bound: dict[str, Any] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.bound = get_contextvars()
        bind_contextvars(tenant="acme")
        if self._status is None:
            raise ConnectionResetError
        await send({"type": "http.response.start", "status": self._status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def ask(
    application: Any, path: str = "/api/v1/jobs", headers: list[tuple[bytes, bytes]] | None = None
) -> dict[bytes, bytes]:
    """The headers of the answer."""
    sent: list[Any] = []

    async def send(event: Any) -> None:
        sent.append(event)

    scope = {
        "type": "http", "method": "GET", "path": path, "client": ("192.0.2.1", 5000),
        "query_string": f"token={CANARY}".encode(), "headers": headers or [],
    }  # fmt: skip
    log = RequestLog(cast("ASGI3Application", application))
    asyncio.run(log(cast("Any", scope), cast("Any", None), send))
    return dict(sent[0]["headers"])


def test_the_callers_id_is_bound_and_answered() -> None:
    application = Application()
    answered = ask(application, headers=[(b"x-request-id", b"trace-1:a/b+c=")])
    assert answered[b"x-request-id"] == b"trace-1:a/b+c="
    assert application.bound == {"request_id": "trace-1:a/b+c="}


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [b""],
        [b"a b"],
        [b"a\nb"],
        [b"\xff"],
        [b"x" * 129],
        [b"one", b"two"],
        [b'"><script>'],
    ],
)
def test_a_missing_or_strange_id_is_replaced_by_one_of_ours(headers: list[bytes]) -> None:
    answered = ask(Application(), headers=[(b"x-request-id", value) for value in headers])
    assert UUID(answered[b"x-request-id"].decode())


def test_nothing_stays_bound_after_the_request() -> None:
    async def two() -> dict[str, Any]:
        async def receive() -> Any: ...
        async def send(event: Any) -> None: ...

        scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
        log = RequestLog(cast("ASGI3Application", Application()))
        await log(cast("Any", scope), receive, send)
        return get_contextvars()

    assert "request_id" not in asyncio.run(two())


def test_the_line_has_path_status_time_client_and_what_was_bound(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, OWN):
        ask(Application(status=404), headers=[(b"authorization", f"Bearer {CANARY}".encode())])
    (record,) = caplog.records
    fields = vars(record)
    assert (fields["method"], fields["path"], fields["status"]) == ("GET", "/api/v1/jobs", 404)
    assert (fields["tenant"], fields["client"]) == ("acme", "192.0.2.1")
    assert fields["duration_ms"] >= 0
    assert fields["request_id"]
    assert record.getMessage().startswith("GET /api/v1/jobs: 404 in ")
    assert CANARY not in str(fields)


def test_a_request_without_an_answer_has_its_line_too(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, OWN), pytest.raises(ConnectionResetError):
        ask(Application(status=None))
    (record,) = caplog.records
    assert "nothing, the connection ended" in record.getMessage()


def test_a_path_cannot_break_the_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, OWN):
        ask(Application(), path="/a\nb\x1b")
    (record,) = caplog.records
    assert "/a\\nb\\x1b" in record.getMessage()


def test_the_watchers_probes_are_told_on_debug_only(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, OWN):
        ask(Application(), path="/readyz")
    (record,) = caplog.records
    assert record.levelno == logging.DEBUG


@pytest.mark.parametrize(
    ("path", "status", "level"),
    [
        ("/static/admin.css", 200, logging.DEBUG),
        ("/static/admin.css", 304, logging.DEBUG),
        ("/static/missing.css", 404, logging.INFO),
        ("/staticky", 200, logging.INFO),
    ],
)
def test_static_files_that_are_served_are_told_on_debug_only(
    path: str, status: int, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, OWN):
        ask(Application(status=status), path=path)
    (record,) = caplog.records
    assert record.levelno == level
