"""What real processes write: whole lines of JSON with the job's ids, and no secret."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_django import DjangoDbBlocker

from accounts import tokens
from config.bootstrap import ROOT
from config.embedded.ports import free_port
from jobs.models import Job
from jobs.states import Status
from tests.support.arena import Arena, leader_pid
from tests.support.programs import Program
from tests.support.waiting import wait_for

CANARY = "canary-7Qx9mK2p"
_MORE = {"CELERIAC_APPS": "tests.house.talking", "LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json"}


@pytest.fixture(scope="module")
def arena(django_db_blocker: DjangoDbBlocker) -> Iterator[Arena]:
    home = Path(tempfile.mkdtemp(prefix="celeriac-logs-"))
    with django_db_blocker.unblock(), Arena.at(home).open() as arena, arena.entered():
        yield arena
    shutil.rmtree(home, ignore_errors=True)


class Web:
    """A web process, called over HTTP."""

    def __init__(self, arena: Arena) -> None:
        port = free_port()
        argv = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--lifespan=off"]
        self.program: Program = arena.start("web", [*argv, f"--port={port}"], _MORE)
        self._url = f"http://127.0.0.1:{port}"
        wait_for(self._answers, seconds=90, what="the web process answers")

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        return requests.request(method, f"{self._url}{path}", timeout=20, **more)

    def _answers(self) -> bool:
        try:
            return self.call("GET", "/readyz").status_code == 200
        except requests.RequestException:
            return False


@pytest.fixture(scope="module")
def spoken(arena: Arena) -> tuple[Job, Program, Program]:
    """A job that came in over HTTP and was run; the web process and the worker."""
    web = Web(arena)
    dispatcher = arena.dispatcher(**_MORE)
    wait_for(lambda: leader_pid() == dispatcher.pid, seconds=60, what="the dispatcher leads")
    worker = arena.worker("talker", slots=1, **_MORE)
    made = tokens.issue(name="logs", tenant=arena.tenant, scopes=["jobs:write", "jobs:read"])
    headers = {"Authorization": f"Bearer {made.text}", "X-Request-ID": "trace-1"}
    payload = {"text": CANARY, "password": CANARY}
    body = {"type": "talking.speak", "payload": payload}
    answer = web.call("POST", "/api/v1/jobs", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    web.call("GET", f"/api/v1/jobs?nothing={CANARY}", headers={"Authorization": f"Bearer {CANARY}"})
    broken = headers | {"Content-Type": "application/json"}
    web.call("POST", "/api/v1/jobs", data=f'{{"{CANARY}":', headers=broken)
    job = arena.wait_for_status(answer.json()["id"], Status.FAILED, seconds=60)
    wait_for(
        lambda: [line for line in lines_of(worker) if "outcome" in line],
        seconds=60,
        what="the worker says what came of the job",
    )
    return job, web.program, worker


def lines_of(program: Program) -> list[dict[str, Any]]:
    """Every whole line, each of which must be a JSON object."""
    text = program.log_text()
    return [read(line) for line in text[: text.rfind("\n")].splitlines()]


def read(line: str) -> dict[str, Any]:
    assert line.startswith("{"), f"no JSON object: {line}"
    return dict(json.loads(line))


def of_job(program: Program, job: Job) -> list[dict[str, Any]]:
    return [line for line in lines_of(program) if line.get("job_id") == str(job.pk)]


def test_a_request_is_one_line_with_its_id_and_tenant(spoken: tuple[Job, Program, Program]) -> None:
    job, web, _ = spoken
    made, refused = (
        line for line in lines_of(web) if line.get("request_id") == "trace-1" and "status" in line
    )
    assert (made["method"], made["path"], made["status"]) == ("POST", "/api/v1/jobs", 201)
    assert (made["service"], made["tenant"]) == ("web", "default")
    assert made["job_id"] == str(job.pk)
    assert refused["status"] == 400
    assert "uvicorn.access" not in {line["logger"] for line in lines_of(web)}


def test_every_line_of_a_job_carries_its_ids_however_it_was_written(
    spoken: tuple[Job, Program, Program],
) -> None:
    job, _, worker = spoken
    lines = {line["message"]: line for line in of_job(worker, job)}
    for sentence in ("said by logging", "said by structlog", "said by print"):
        line = lines[sentence]
        assert (line["job_type"], line["attempt"], line["tenant"]) == (
            "talking.speak",
            1,
            "default",
        )
        assert (line["service"], line["worker"]) == ("worker", "talker@arena")
    assert lines["said by logging"]["length"] == lines["said by structlog"]["length"]


def test_an_attempt_that_ended_is_one_line(spoken: tuple[Job, Program, Program]) -> None:
    job, _, worker = spoken
    (line,) = (line for line in of_job(worker, job) if "outcome" in line)
    assert (line["outcome"], line["level"]) == ("Failed", "info")
    assert str(job.pk) in line["message"]


def test_no_secret_payload_token_or_password_is_written(
    arena: Arena, spoken: tuple[Job, Program, Program]
) -> None:
    _, web, worker = spoken
    text = web.log_text() + worker.log_text()
    password = arena.postgres.url.split(":")[2].split("@")[0]
    redis_password = arena.valkey.url.split(":")[2].split("@")[0]
    assert len(text) > 1000
    for secret in (CANARY, password, redis_password):
        assert secret not in text


def test_on_a_terminal_lines_are_columns(tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    say = "import django, logging; django.setup(); logging.getLogger('x').warning('said')"
    environment = {**os.environ, "CELERIAC_HOME": str(tmp_path), "NO_COLOR": "1", "LOG_FORMAT": ""}
    subprocess.run(
        [sys.executable, "-c", say], cwd=ROOT, env=environment, stderr=terminal, check=True
    )
    os.close(terminal)
    shown = os.read(controller, 4096).decode()
    os.close(controller)
    assert " warning  python       said logger=x" in shown
    assert "\x1b" not in shown
