"""Large files and a real server: bounded memory, and nothing kept of what is refused."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings as django_settings

from accounts.models import Tenant
from accounts.scopes import Scope
from config.api.uploads import PATH
from tests.api.conftest import MakeCaller
from tests.support.addresses import database_url, free_port
from tests.support.files import stored_paths
from tests.support.forms import FORM, form, part
from tests.support.programs import Program
from tests.support.waiting import wait_for

MIB = 1024 * 1024


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


class Server:
    """A web process on the test's database, with a home of its own."""

    def __init__(self, home: Path, token: str) -> None:
        self.home = home
        self.port = free_port()
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": FORM}
        argv = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--lifespan=off"]
        argv += ["--host=127.0.0.1", f"--port={self.port}", "--log-level=warning"]
        environment = {
            **os.environ,
            "CELERIAC_HOME": str(home),
            "DATABASE_URL": database_url(),
            "REDIS_URL": django_settings.REDIS_URL,
            "FILES_MAX_BYTES": str(50 * MIB),
            "RATE_LIMIT_ENABLED": "0",
        }
        self.program = Program("web", argv, environment, home)

    @property
    def files(self) -> list[Path]:
        return stored_paths(self.home / "files")

    def is_ready(self) -> bool:
        assert self.program.is_alive, self.program.log_text()
        try:
            return self.ask("GET", "/healthz")[0] == 200
        except OSError:
            return False

    def upload(self, body: Any, length: int | None = None) -> tuple[int, Any]:
        """Pieces without a length are sent in chunks."""
        sent = {**self.headers, **({"Content-Length": str(length)} if length else {})}
        chunked = length is None and not isinstance(body, bytes)
        status, text = self.ask("POST", PATH, body, sent, encode_chunked=chunked)
        return status, json.loads(text)

    def ask(self, method: str, path: str, *args: Any, **options: Any) -> tuple[int, bytes]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            line.request(method, path, *args, **options)
            answer = line.getresponse()
            return answer.status, answer.read()
        finally:
            line.close()

    def memory(self) -> int:
        return int(psutil.Process(self.program.pid).memory_info().rss)


@pytest.fixture
def server(
    transactional_db: None, acme: Tenant, caller_of: MakeCaller, home: Path
) -> Iterator[Server]:
    served = Server(home, caller_of(acme).token)
    served.program.start()
    try:
        wait_for(served.is_ready, seconds=120, what="the web process answers")
        yield served
    finally:
        served.program.clear_away()


def pieces(mebibytes: int) -> Iterator[bytes]:
    whole = form(part(b"@"))
    before, after = whole.split(b"@")
    yield before
    for number in range(mebibytes):
        yield bytes([number]) * MIB
    yield after


class Watch:
    """The most memory that a process had while the block ran."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.most = 0

    def _look(self) -> None:
        while not self._end.wait(0.01):
            self.most = max(self.most, self._server.memory())

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


def test_a_real_server_takes_a_large_file_in_without_holding_it_in_memory(server: Server) -> None:
    assert server.upload(form(part(b"the first")))[0] == 201
    before = server.memory()

    with Watch(server) as watch:
        status, body = server.upload(pieces(40))

    digest = hashlib.sha256(b"".join(bytes([number]) * MIB for number in range(40)))
    assert (status, body["size"], body["sha256"]) == (201, 40 * MIB, digest.hexdigest())
    assert watch.most - before < 20 * MIB
    (largest,) = (path for path in server.files if path.stat().st_size > MIB)
    assert hashlib.sha256(largest.read_bytes()).digest() == digest.digest()


def test_a_real_server_refuses_what_is_too_large_however_it_comes(server: Server) -> None:
    assert server.upload(pieces(51))[0] == 413
    assert server.upload(pieces(51), length=sum(map(len, pieces(51))))[0] == 413
    assert _only_announced(server, 10**15) == 413
    assert server.files == []
    assert server.upload(form(part(b"a small one")))[0] == 201


def test_a_real_server_refuses_a_content_type_that_cannot_be_read(server: Server) -> None:
    for method, path in (("POST", "/api/v1/me"), ("POST", PATH), ("GET", "/healthz")):
        sent = {**server.headers, "Content-Type": "a; x*=nosuch''y"}
        status, text = server.ask(method, path, b"{}", sent)
        assert (status, json.loads(text)["status"]) == (415, 415)


def _only_announced(server: Server, length: int) -> int:
    """The answer to a request of which nothing but its headers was sent."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as line:
        line.putrequest("POST", PATH)
        for name, value in {**server.headers, "Content-Length": str(length)}.items():
            line.putheader(name, value)
        line.endheaders()
        with line.sock.makefile("rb") as answer:
            return int(answer.readline().split()[1])


def test_a_real_server_keeps_nothing_of_a_client_that_leaves_or_of_its_own_death(
    server: Server,
) -> None:
    for dies in (False, True):
        line = _sending(server)
        wait_for(lambda: _spooled_bytes(server) > MIB, seconds=30, what="the body lies on disk")
        if dies:
            server.program.kill()
        line.close()
        wait_for(lambda: _spooled_bytes(server) == 0, seconds=30, what="nothing is left")
    assert server.files == []
    assert list((server.home / "incoming").iterdir()) == []


def test_a_real_server_keeps_nothing_of_who_may_not_send(
    server: Server, acme: Tenant, caller_of: MakeCaller
) -> None:
    reader = caller_of(acme, [Scope.JOBS_READ]).token
    with ExitStack() as lines:
        for token, status in (("nobodys", b"401"), (reader, b"403")):
            server.headers["Authorization"] = f"Bearer {token}"
            held = [lines.enter_context(_sending(server)) for _ in range(6)]
            answers = [line.makefile("rb").readline() for line in held]
            assert {answer.split()[1] for answer in answers} == {status}
            assert _spooled(server) == []
    assert not (server.home / "incoming").exists()
    assert server.files == []


def _sending(server: Server) -> socket.socket:
    """A client that has sent a part of its body."""
    line = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {9 * MIB}\r\n"
    lines = "".join(f"{name}: {value}\r\n" for name, value in server.headers.items())
    line.sendall((head + lines + "\r\n").encode() + b"x" * 5 * MIB)
    return line


def _spooled(server: Server) -> list[Path]:
    """The files without a name that the process holds open."""
    held = Path(f"/proc/{server.program.pid}/fd").iterdir()
    return [one for one in held if _size(one)]


def _spooled_bytes(server: Server) -> int:
    """Of the files without a name that the process holds open."""
    try:
        held = list(Path(f"/proc/{server.program.pid}/fd").iterdir())
    except FileNotFoundError:
        return 0
    return sum(_size(one) for one in held)


def _size(descriptor: Path) -> int:
    try:
        return descriptor.stat().st_size if "incoming" in os.readlink(descriptor) else 0
    except FileNotFoundError:
        return 0
