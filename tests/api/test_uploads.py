"""How the web process takes in a large body: on disk, bounded, and without a trace of refused
ones."""

from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, cast

import pytest
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope
from pytest_django import Settings

from config.api.uploads import PATH, Uploads
from jobs.files import spool

LIMIT = 1000
LONGEST = LIMIT + spool.FRAMING
MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Settings) -> Path:
    settings.CELERIAC_HOME = tmp_path
    return tmp_path


class Keeper:
    """An application that keeps what it was given, once it was asked and answered `willing`."""

    def __init__(self, willing: int = 204) -> None:
        self.willing = willing
        self.bodies: list[bytes] = []
        self.headers: list[dict[bytes, bytes]] = []
        self.spools: list[IO[bytes]] = []

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        if spool.QUESTION in scope:
            start: Any = {"type": "http.response.start", "status": self.willing, "headers": []}
            await send(start)
            await send({"type": "http.response.body", "body": b"why", "more_body": False})
            return
        body = cast("dict[str, Any]", scope)[spool.BODY]
        body.seek(0)
        self.bodies.append(body.read())
        self.spools.append(body)
        self.headers.append(dict(cast("HTTPScope", scope)["headers"]))
        event = cast("dict[str, Any]", await receive())
        assert (event["type"], event["body"], event["more_body"]) == ("http.request", b"", False)


def ask(
    parts: Sequence[bytes],
    headers: Sequence[tuple[bytes, bytes]] = (),
    *,
    leaves: bool = False,
    method: str = "POST",
    path: str = PATH,
    willing: int = 204,
) -> tuple[Keeper, list[dict[str, Any]], int]:
    """Send a request in parts. Returns the application, what was answered, and the parts left."""
    application, otherwise, sent = Keeper(willing), [], []
    events: list[dict[str, Any]] = [
        {"type": "http.request", "body": one, "more_body": leaves or number < len(parts)}
        for number, one in enumerate(parts, 1)
    ]
    events.append({"type": "http.disconnect"})

    async def receive() -> Any:
        return events.pop(0)

    async def send(event: Any) -> None:
        sent.append({**event, "left": len(events)})

    async def small(*_: Any) -> None:
        otherwise.append({"otherwise": True})

    scope = {"type": "http", "method": method, "path": path, "headers": list(headers)}
    uploads = Uploads(application, limit=LIMIT, otherwise=cast("Any", small))
    asyncio.run(uploads(cast("Scope", scope), receive, send))
    assert all(one.closed for one in application.spools)
    return application, otherwise or sent, len(events)


@pytest.mark.parametrize("parts", [[b""], [b"x" * LONGEST], [b"x" * 600, b"", b"y" * 40_000]])
def test_a_body_up_to_the_limit_arrives_whole_on_disk(parts: list[bytes]) -> None:
    application, sent, _ = ask(parts)
    assert application.bodies == [b"".join(parts)]
    assert sent == []


def test_a_body_in_chunks_gets_the_length_it_turned_out_to_have() -> None:
    application, _, _ = ask([b"12345", b"678"], [(b"transfer-encoding", b"chunked")])
    assert application.headers == [{b"content-length": b"8"}]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", PATH), ("POST", "/api/v1/jobs"), ("POST", PATH + "/x")]
)
def test_every_other_request_goes_the_usual_way(method: str, path: str) -> None:
    assert ask([b"x"], method=method, path=path)[1] == [{"otherwise": True}]


def test_a_body_over_the_limit_is_413_at_once_and_then_heard_out() -> None:
    pieces = [b"x" * 1000] * 200
    application, answer, left = ask(pieces)
    start, body, end = answer
    assert application.bodies == []
    assert start["status"] == json.loads(body["body"])["status"] == 413
    assert dict(start["headers"])[b"content-type"] == b"application/problem+json"
    assert start["left"] > 100
    assert (end["left"], end["more_body"], left) == (1, False, 1)


def test_a_body_that_announces_too_much_is_413_before_a_byte_of_it_is_read() -> None:
    _, (start, *_), _ = ask([b"x"] * 3, [(b"content-length", b"%d" % (LONGEST + 1))])
    assert (start["status"], start["left"]) == (413, 4)


def test_a_refused_body_without_end_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.api.uploads._HEARD_OUT", 10_000)
    _, _, left = ask([b"x" * 1000] * 1000)
    assert left > 900


def test_a_client_that_leaves_while_it_sends_is_let_go() -> None:
    application, sent, _ = ask([b"x"], leaves=True)
    assert (application.bodies, sent) == ([], [])


def test_who_may_not_send_is_told_before_a_byte_is_read_and_nothing_is_kept(home: Path) -> None:
    application, (start, body, end), left = ask([b"x" * 1000] * 3, willing=401)
    assert (start["status"], start["left"], body["body"]) == (401, 4, b"why")
    assert (b"connection", b"close") in start["headers"]
    assert (end["left"], end["more_body"], left) == (1, False, 1)
    assert application.bodies == []
    assert not (home / "incoming").exists()


class Full:
    """A spool on a disk without room."""

    def __init__(self, number: int) -> None:
        self.closed = False
        self._number = number

    def write(self, data: bytes) -> None:
        raise OSError(self._number, "no room")

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(("number", "status"), [(errno.ENOSPC, 507), (errno.EIO, 503)])
def test_a_disk_that_takes_nothing_is_told(
    number: int, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Full(number)
    monkeypatch.setattr(spool, "open_spool", lambda: full)
    application, (start, *_), _ = ask([b"x"])
    assert (start["status"], application.bodies, full.closed) == (status, [], True)


def test_a_spool_has_no_name_and_lies_at_home(home: Path) -> None:
    with spool.open_spool() as body:
        body.write(b"x" * MIB)
        assert (home / "incoming").stat().st_mode & 0o777 == 0o700
        assert list((home / "incoming").iterdir()) == []
