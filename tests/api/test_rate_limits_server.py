"""Rate limits of a real web process, where the body of a request comes after a question."""

from __future__ import annotations

import http.client
import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from accounts.models import Tenant
from jobs.models import Job
from tests.api.conftest import MakeCaller
from tests.api.limiting import JOB, forget_hits
from tests.support.addresses import database_url, free_port
from tests.support.forms import FORM, form, part
from tests.support.programs import Program
from tests.support.waiting import wait_for

Told = tuple[int, str | None]


class Server:
    """Two web processes on the test's database that count their callers."""

    def __init__(self, home: Path, token: str) -> None:
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.ports = [free_port(), free_port()]
        environment = {
            **os.environ,
            "CELERIAC_HOME": str(home),
            "DATABASE_URL": database_url(),
            "REDIS_URL": django_settings.REDIS_URL,
            "RATE_LIMIT_ENABLED": "1",
            "RATE_LIMIT_CREATE": "10/h",  # a minute may pass on a busy machine
            "RATE_LIMIT_BATCH": "5/h",
        }
        self.programs = [
            Program(f"web-{port}", [*_UVICORN, f"--port={port}"], environment, home)
            for port in self.ports
        ]

    def is_ready(self) -> bool:
        for program in self.programs:
            assert program.is_alive, program.log_text()
        try:
            return all(self.ask("GET", "/healthz", at=at)[0] == 200 for at in (0, 1))
        except OSError:
            return False

    def ask(
        self, method: str, path: str, body: bytes = b"", *, at: int = 0, **headers: str
    ) -> Told:
        """The status, and what remains."""
        line = http.client.HTTPConnection("127.0.0.1", self.ports[at], timeout=60)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            line.request(method, path, body, {**self.headers, **sent})
            answer = line.getresponse()
            answer.read()
            return answer.status, answer.getheader("X-RateLimit-Remaining")
        finally:
            line.close()


_UVICORN = [sys.executable, "-m", "uvicorn", "tests.api.patient_web:application", "--lifespan=off"]
_UVICORN += ["--host=127.0.0.1", "--log-level=warning"]


@pytest.fixture
def server(
    transactional_db: None, acme: Tenant, caller_of: MakeCaller, tmp_path: Path
) -> Iterator[Server]:
    forget_hits(django_settings.REDIS_URL)
    served = Server(tmp_path, caller_of(acme).token)
    try:
        for program in served.programs:
            program.start()
        wait_for(served.is_ready, seconds=120, what="the web processes answer")
        yield served
    finally:
        for program in served.programs:
            program.clear_away()


def test_t28_processes_share_the_windows_and_bodies_that_are_asked_for_count_once(
    server: Server,
) -> None:
    job = json.dumps({**JOB, "type": "diagnostics.echo"}).encode()

    def send(number: int) -> Told:
        return server.ask("POST", "/api/v1/jobs", job, at=number % 2)

    with ThreadPoolExecutor(20) as pool:
        answers = [status for status, _ in pool.map(send, range(60))]
    assert (answers.count(201), answers.count(429)) == (10, 50)
    assert Job.objects.count() == 10
    for path in ("//api/v1/jobs", "/api/v1//jobs", "/api/v1/jobs/", "/api/v1/./jobs"):
        assert server.ask("POST", path, job)[0] == 404

    # Over a mebibyte: the web process asks before it reads it.
    batch = json.dumps({"type": "diagnostics.echo", "items": [{"text": "x" * 200_000}] * 6})
    told = [server.ask("POST", "/api/v1/batches", batch.encode()) for _ in range(6)]
    assert told == [*((201, str(left)) for left in (4, 3, 2, 1, 0)), (429, "0")]


def test_an_upload_counts_once_and_a_refused_one_is_not_read(server: Server) -> None:
    body = form(part(b"the text"))

    def upload(**headers: str) -> Told:
        return server.ask("POST", "/api/v1/files", body, at=0, Content_Type=FORM, **headers)

    assert [upload() for _ in range(2)] == [(201, "9"), (201, "8")]
    assert [upload(Idempotency_Key="k") for _ in range(3)] == [(201, "7")] * 3
    assert [upload()[0] for _ in range(8)] == [201] * 7 + [429]
    assert upload(Idempotency_Key="k") == (201, "0")
    assert upload(Idempotency_Key="new")[0] == 429
