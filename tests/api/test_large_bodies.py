"""Large bodies: of those who may send them, few at a time, and each in its time."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import Any, cast

import pytest
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import BaseHandler
from django.test import AsyncClient

from accounts.models import Tenant
from accounts.scopes import Scope as TokenScope
from config.api import large_bodies
from config.api.large_bodies import LargeBodies
from config.api.sizes import takes_many
from jobs.files import spool
from jobs.models import Job
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller

SMALL, LIMIT = 10, 100


class Views:
    """An application that takes bodies of those who carry a token, and holds them for a while."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        status = 200
        if spool.QUESTION in scope:
            headers = dict(cast("HTTPScope", scope)["headers"])
            status = 204 if b"authorization" in headers else 401
        else:
            event = cast("Any", await receive())
            self.bodies.append(event["body"])
            await self.go.wait()
        await send({"type": "http.response.start", "status": status, "headers": []})  # type: ignore[typeddict-item]  # no trailers
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class Client:
    def __init__(self) -> None:
        self.views, self.others = Views(), Views()
        self.large = LargeBodies(
            self.views, limit=LIMIT, small=SMALL, take_many=takes_many, otherwise=self.others
        )

    async def post(
        self,
        size: int,
        *,
        path: str = "/api/v1/batches",
        token: str = "one",
        whole: bool = True,
        chunked: bool = False,
    ) -> int | None:
        """The status of the answer; None where there was none."""
        statuses: list[int] = []
        headers = [(b"content-length", str(size).encode())]
        if chunked:
            headers = [(b"transfer-encoding", b"chunked")]
        headers += [(b"authorization", f"Bearer {token}".encode())] if token else []
        parts = [b"x" * size]

        async def receive() -> Any:
            if not parts:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": parts.pop(), "more_body": not whole}

        async def send(event: Any) -> None:
            statuses.extend([event["status"]] if "status" in event else [])

        scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
        await self.large(cast("Scope", scope), receive, send)
        return statuses[0] if statuses else None


def test_a_large_body_reaches_the_view_and_a_larger_one_does_not() -> None:
    async def run() -> None:
        client = Client()
        assert await client.post(LIMIT) == 200
        assert await client.post(LIMIT + 1) == 413
        assert client.views.bodies == [b"x" * LIMIT]

    asyncio.run(run())


def test_other_calls_and_small_bodies_go_their_usual_way() -> None:
    async def run() -> None:
        client = Client()
        assert await client.post(SMALL) == 200
        assert await client.post(LIMIT, path="/api/v1/jobs") == 200
        assert await client.post(LIMIT, path="/api/v1/batches/7/cancel") == 200
        assert (len(client.others.bodies), client.views.bodies) == (3, [])

    asyncio.run(run())


def test_a_large_body_of_nobody_is_never_kept() -> None:
    async def run() -> None:
        client = Client()
        assert await client.post(LIMIT, token="") == 401
        assert client.views.bodies == client.others.bodies == []

    asyncio.run(run())


def test_one_large_body_too_many_is_503_until_another_has_ended() -> None:
    async def run() -> None:
        client = Client()
        held = await hold(client, [str(index) for index in range(large_bodies.AT_ONCE)])
        assert await client.post(LIMIT, token="another") == 503
        client.views.go.set()
        assert await asyncio.gather(*held) == [200] * large_bodies.AT_ONCE
        assert await client.post(LIMIT, token="another") == 200

    asyncio.run(run())


def test_a_second_large_body_of_one_caller_waits_and_keeps_nobody_else_out() -> None:
    async def run() -> None:
        client = Client()
        held = await hold(client, ["one"])
        assert await client.post(LIMIT, token="one") == 503
        client.views.go.set()
        assert await client.post(LIMIT, token="two") == 200
        assert await asyncio.gather(*held) == [200]

    asyncio.run(run())


def test_a_body_without_a_length_takes_room_only_once_it_is_large() -> None:
    async def run() -> None:
        client = Client()
        trickling = asyncio.create_task(client.post(SMALL, whole=False, chunked=True))
        assert await client.post(SMALL, chunked=True) == 200
        assert await client.post(LIMIT, chunked=True) == 200
        assert await client.post(LIMIT, chunked=True, token="") == 401
        assert client.others.bodies == [b"x" * SMALL]
        assert client.views.bodies == [b"x" * LIMIT]
        trickling.cancel()

    asyncio.run(run())


def test_a_large_body_that_comes_in_too_slowly_gives_its_room_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(large_bodies, "GRACE_SECONDS", 0.05)

    async def run() -> None:
        client = Client()
        assert await client.post(LIMIT, whole=False) is None
        assert await client.post(LIMIT) == 200

    asyncio.run(run())


async def hold(client: Client, tokens: list[str]) -> list[asyncio.Task[int | None]]:
    """A large body of each, which the view does not let go."""
    client.views.go.clear()
    held = [asyncio.create_task(client.post(LIMIT, token=token)) for token in tokens]
    while len(client.views.bodies) < len(tokens):
        await asyncio.sleep(0)
    return held


def test_a_large_body_that_does_not_come_in_gives_its_room_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(large_bodies, "LONGEST_SECONDS", 0.05)

    async def run() -> None:
        client = Client()
        for _ in range(2 * large_bodies.AT_ONCE):
            assert await client.post(LIMIT, whole=False) is None
        assert await client.post(LIMIT) == 200

    asyncio.run(run())


def test_the_view_says_whether_it_would_take_a_body(acme: Tenant, caller_of: MakeCaller) -> None:
    def asked(caller: Caller) -> int:
        return _asked(caller.token)

    assert asked(caller_of(acme, [TokenScope.JOBS_WRITE])) == 204
    assert asked(caller_of(acme, [TokenScope.JOBS_READ])) == 403
    assert asked(Caller()) == 401
    assert not Job.objects.exists()


def _asked(token: str) -> int:
    scope = AsyncClient()._base_scope(path="/api/v1/batches", method="POST")  # type: ignore[attr-defined]
    scope["headers"] = [(b"content-type", b"application/json")]
    if token:
        scope["headers"].append((b"authorization", f"Bearer {token}".encode()))
    scope[spool.QUESTION] = True
    handler = BaseHandler()
    handler.load_middleware()
    return int(handler.get_response(ASGIRequest(scope, BytesIO())).status_code)
