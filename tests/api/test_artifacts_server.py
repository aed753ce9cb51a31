"""A real server and slow clients: a download holds no thread, and is never whole in memory."""

from __future__ import annotations

import hashlib
import http.client
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pytest_django import Settings

from accounts.models import Tenant
from jobs.artifacts import links
from jobs.models import Artifact
from jobs.states import Status
from tests.api.conftest import MakeCaller, MakeJob
from tests.api.test_upload_server import MIB, Server
from tests.support.artifacts import hand_over, held
from tests.support.files import storage_at
from tests.support.waiting import wait_for

THREADS = 2
SIZE = 40 * MIB  # more than all buffers between server and client take

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(
    acme: Tenant, caller_of: MakeCaller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    monkeypatch.setenv("WEB_THREADS", str(THREADS))
    served = Server(tmp_path, caller_of(acme).token)
    served.program.start()
    try:
        wait_for(served.is_ready, seconds=120, what="the web process answers")
        yield served
    finally:
        served.program.clear_away()


@pytest.fixture
def large(acme: Tenant, make_job: MakeJob, tmp_path: Path, settings: Settings) -> Artifact:
    storage_at(tmp_path / "artifacts", settings, "artifacts")
    content = b"".join(bytes([number]) * MIB for number in range(SIZE // MIB))
    return hand_over(held(make_job(acme, Status.PROCESSING)), "large.bin", content)


def path_of(row: Artifact, tenant: Tenant) -> str:
    parts = urlsplit(links.address(row.pk, tenant.pk))
    return f"{parts.path}?{parts.query}"


def begun(server: Server, path: str) -> socket.socket:
    """A client that has read the first line of the answer, and reads no more."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    line.settimeout(60)
    line.connect(("127.0.0.1", server.port))
    line.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert line.recv(15) == b"HTTP/1.1 200 OK"
    return line


def test_slow_downloads_hold_up_nobody(server: Server, large: Artifact, acme: Tenant) -> None:
    with ExitStack() as lines:
        for _ in range(8 * THREADS):
            lines.enter_context(closing(begun(server, path_of(large, acme))))
        headers = {"Authorization": server.headers["Authorization"]}
        for path in ("/healthz", "/api/v1/jobs", f"/api/v1/jobs/{large.job_id}"):
            assert server.ask("GET", path, None, headers)[0] == 200
        assert _open_files(server) == 8 * THREADS
        assert server.memory() < 400 * MIB
    wait_for(lambda: _open_files(server) == 0, seconds=60, what="all are let go")


def test_a_download_and_a_part_of_it_arrive_whole(
    server: Server, large: Artifact, acme: Tenant
) -> None:
    status, body = server.ask("GET", path_of(large, acme))
    assert (status, len(body)) == (200, SIZE)
    assert hashlib.sha256(body).hexdigest() == large.sha256

    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    with closing(line):
        for _ in range(2):  # over one connection: the first answer has ended as it should
            span = {"Range": f"bytes={MIB - 1}-{MIB}"}
            line.request("GET", path_of(large, acme), headers=span)
            answer = line.getresponse()
            assert (answer.status, answer.read()) == (206, b"\x00\x01")
        line.request("HEAD", path_of(large, acme))
        answer = line.getresponse()
        assert (answer.status, answer.headers["Content-Length"]) == (200, str(SIZE))


def _open_files(server: Server) -> int:
    """Files of the storage that the process holds open."""
    held = Path(f"/proc/{server.program.pid}/fd")
    return sum("/artifacts/" in str(_target(one)) for one in held.iterdir())


def _target(descriptor: Path) -> Path:
    try:
        return descriptor.readlink()
    except FileNotFoundError:
        return Path()
