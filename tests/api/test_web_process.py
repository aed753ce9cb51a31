"""What stands before Django in the web process: the limit of bodies, and the threads."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Sequence
from typing import Any, cast

import pytest
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

from config.api.body_limit import BodyLimit
from config.steady_threads import SteadyThreads

LIMIT = 100


class Echo:
    """An application that keeps what it was given."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[bytes, bytes]] = []

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        event = cast("dict[str, Any]", await receive())
        assert event["type"] == "http.request"
        assert not event["more_body"]
        self.bodies.append(event["body"])
        self.headers.append(dict(cast("HTTPScope", scope)["headers"]))
        assert (await receive())["type"] == "http.disconnect"


def ask(
    parts: Sequence[bytes], headers: Sequence[tuple[bytes, bytes]] = (), *, leaves: bool = False
) -> tuple[Echo, list[dict[str, Any]], int]:
    """Send a request in parts. Returns the application, what was answered, and the parts left."""
    application, sent = Echo(), []
    events: list[dict[str, Any]] = [
        {"type": "http.request", "body": part, "more_body": leaves or number < len(parts)}
        for number, part in enumerate(parts, 1)
    ]
    events.append({"type": "http.disconnect"})

    async def receive() -> Any:
        return events.pop(0)

    async def send(event: Any) -> None:
        sent.append(event)

    scope = {"type": "http", "path": "/api/v1/jobs", "headers": list(headers)}
    limited = BodyLimit(application, limit=LIMIT)
    asyncio.run(limited(cast("Scope", scope), receive, send))
    return application, sent, len(events)


@pytest.mark.parametrize(
    "parts", [[b""], [b"x" * LIMIT], [b"x" * 60, b"", b"y" * 40], [b"x"] * LIMIT]
)
def test_a_body_up_to_the_limit_arrives_whole(parts: list[bytes]) -> None:
    application, sent, _ = ask(parts)
    assert application.bodies == [b"".join(parts)]
    assert sent == []


def test_a_body_in_chunks_gets_the_length_it_turned_out_to_have() -> None:
    chunked = [(b"transfer-encoding", b"chunked"), (b"host", b"x")]
    application, _, _ = ask([b"12345", b"678"], chunked)
    assert application.headers == [{b"host": b"x", b"content-length": b"8"}]


@pytest.mark.parametrize("parts", [[b"x" * 101], [b"x" * 60, b"y" * 41], [b"x"] * 1000])
def test_a_body_over_the_limit_is_413_and_reaches_nobody(parts: list[bytes]) -> None:
    application, (start, body), _ = ask(parts)
    assert application.bodies == []
    assert start["status"] == json.loads(body["body"])["status"] == 413
    assert dict(start["headers"])[b"content-type"] == b"application/problem+json"


def test_a_body_without_end_is_not_read_for_ever() -> None:
    _, (start, _), left = ask([b"x" * LIMIT] * 1000)
    assert start["status"] == 413
    assert left > 900


def test_a_client_that_leaves_while_it_sends_is_let_go() -> None:
    application, sent, _ = ask([b"x"], leaves=True)
    assert (application.bodies, sent) == ([], [])


class Sleeper:
    """An application whose work is synchronous, as Django's views are."""

    def __init__(self) -> None:
        self.threads: set[int] = set()
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        async with ThreadSensitiveContext():  # as Django does
            await sync_to_async(self._work)()

    def _work(self) -> None:
        with self._lock:
            self.threads.add(threading.get_ident())
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(0.02)
        with self._lock:
            self.at_once -= 1


def send_all(application: Any, path: str, number: int) -> None:
    async def run() -> None:
        scope = {"type": "http", "path": path}
        await asyncio.gather(*(application(scope, None, None) for _ in range(number)))

    asyncio.run(run())


def test_a_burst_of_requests_shares_the_threads_and_their_connections() -> None:
    work = Sleeper()
    send_all(SteadyThreads(work, size=3), "/api/v1/jobs", 20)
    assert len(work.threads) == work.most_at_once == 3


def test_requests_one_after_the_other_use_one_thread() -> None:
    work = Sleeper()
    application = SteadyThreads(work, size=3)

    async def run() -> None:
        for _ in range(5):
            await application(
                cast("Any", {"type": "http", "path": "/"}), *cast("Any", (None, None))
            )

    asyncio.run(run())
    assert len(work.threads) == 1


def test_liveness_is_answered_while_every_thread_is_lent() -> None:
    work = Sleeper()
    send_all(SteadyThreads(work, size=0), "/healthz", 2)
    assert len(work.threads) == 2
