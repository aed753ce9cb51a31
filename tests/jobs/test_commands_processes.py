"""The commands as programs, beside a real dispatcher and worker."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from config.bootstrap import ROOT
from jobs.models import Job, Queue
from jobs.states import Status
from tests.support.arena import Arena
from tests.support.waiting import wait_for

_MANAGE = [sys.executable, "manage.py"]
_LONG = '{"seconds": 120, "steps": 120}'


@pytest.fixture(scope="module")
def arena(django_db_blocker: DjangoDbBlocker) -> Iterator[Arena]:
    home = Path(tempfile.mkdtemp(prefix="celeriac-commands-"))
    with (
        django_db_blocker.unblock(),
        Arena.at(home).open() as arena,
        arena.entered(),
    ):
        arena.dispatcher(LEASE_SECONDS="30")  # no attempt may be lost to a busy machine
        arena.worker(slots=1, WORKER_QUEUES="default", LEASE_SECONDS="30")
        yield arena
    shutil.rmtree(home, ignore_errors=True)


class Running:
    """A command at work; what it wrote so far can be asked for."""

    def __init__(self, arena: Arena, *arguments: str) -> None:
        place = Path(tempfile.mkdtemp(dir=arena.home))
        self._out, self._err = place / "out", place / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [*_MANAGE, *arguments], cwd=ROOT, env=_environment(arena), stdout=out, stderr=err
            )

    @property
    def out(self) -> str:
        return self._out.read_text("utf-8")

    @property
    def err(self) -> str:
        return self._err.read_text("utf-8")

    def wait_until_it_says(self, words: str) -> None:
        wait_for(lambda: words in self.err, seconds=60, what=f"{words!r} is said in {self._err}")

    def end(self) -> int:
        try:
            return self.process.wait(timeout=90)
        finally:
            self.process.kill()


@pytest.fixture
def command(arena: Arena) -> Iterator[Callable[..., Running]]:
    """Starts a command; one that a failed test leaves behind is ended."""
    started: list[Running] = []

    def start(*arguments: str) -> Running:
        started.append(Running(arena, *arguments))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def _environment(arena: Arena) -> dict[str, str]:
    return {**arena.environment(), "LOG_LEVEL": "WARNING"}


def test_waiting_follows_a_real_worker_to_the_result(
    arena: Arena, command: Callable[..., Running]
) -> None:
    payload = '{"seconds": 2, "steps": 4}'
    waiting = command("enqueue", "diagnostics.sleep", "--payload", payload, "--wait")
    assert waiting.end() == 0, waiting.err
    assert json.loads(waiting.out) == {"seconds": 2, "steps": 4}
    assert " of 4" in waiting.err
    assert "completed in" in waiting.err
    assert "\x1b" not in waiting.out + waiting.err


def test_waiting_for_a_job_that_fails_ends_with_status_1_and_one_json_document(
    arena: Arena, command: Callable[..., Running]
) -> None:
    waiting = command(
        "enqueue", "diagnostics.fail", "--payload", '{"times": 9}', "--max-retries=0",
        "--wait", "--json",
    )  # fmt: skip
    assert waiting.end() == 1
    assert json.loads(waiting.out)["error"]["message"] == "Failed as asked."
    assert "failed: Failed as asked." in waiting.err
    assert "Traceback" not in waiting.err


def test_ctrl_c_leaves_the_job_running_and_says_so(
    arena: Arena, command: Callable[..., Running]
) -> None:
    waiting = command("enqueue", "diagnostics.sleep", "--payload", _LONG, "--wait")
    waiting.wait_until_it_says(" of 120")
    job = Job.objects.get(status=Status.PROCESSING)
    waiting.process.send_signal(signal.SIGINT)
    assert waiting.end() == 130
    assert f"The job goes on: manage.py jobs watch {job.pk}" in waiting.err
    assert "Traceback" not in waiting.err
    job.refresh_from_db()
    assert (job.status, job.cancel_requested_at) == (Status.PROCESSING, None)
    assert command("jobs", "cancel", str(job.pk)).end() == 0
    arena.wait_for_status(job.pk, Status.CANCELLED, seconds=20)


def test_waiting_outlasts_a_restart_of_the_database(
    arena: Arena, command: Callable[..., Running]
) -> None:
    payload = '{"seconds": 6, "steps": 60}'
    waiting = command("enqueue", "diagnostics.sleep", "--payload", payload, "--wait")
    waiting.wait_until_it_says(" of 60")
    arena.postgres.stop(signal.SIGQUIT)
    waiting.wait_until_it_says("The database does not answer")
    arena.postgres.start()
    connection.close()  # this process's own is broken too
    assert waiting.end() == 0, waiting.err
    assert json.loads(waiting.out)["steps"] == 60
    assert "Traceback" not in waiting.err


def test_where_nobody_can_run_a_job_the_waiting_person_is_told(
    arena: Arena, command: Callable[..., Running]
) -> None:
    Queue.objects.get_or_create(pk="nobodys")
    waiting = command("enqueue", "diagnostics.echo", "--queue=nobodys", "--wait")
    waiting.wait_until_it_says("No live worker consumes queue nobodys")
    job = Job.objects.get(queue="nobodys")
    assert command("jobs", "cancel", str(job.pk)).end() == 0
    assert waiting.end() == 1
    assert "cancelled by command:" in waiting.err


@pytest.mark.parametrize("arguments", ["jobs list", "jobs list --json", "jobs show ID"])
def test_a_reader_that_leaves_early_sees_no_traceback(arena: Arena, arguments: str) -> None:
    job = arena.enqueue("diagnostics.echo", big="x" * 200_000)
    argv = [*_MANAGE, *arguments.replace("ID", str(job.pk)).split()]
    with subprocess.Popen(
        argv, cwd=ROOT, env=_environment(arena), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as command:  # fmt: skip
        assert command.stdout is not None
        assert command.stderr is not None
        command.stdout.close()  # as `| head -1` does, at the earliest moment possible
        told = command.stderr.read().decode()
        command.wait(timeout=60)
    assert "Traceback" not in told
    assert "BrokenPipe" not in told


def test_without_a_server_there_is_one_sentence_and_status_2(arena: Arena) -> None:
    environment = {**_environment(arena), "DATABASE_URL": "postgres://a:hush@127.0.0.1:1/none"}
    refused = subprocess.run(
        [*_MANAGE, "enqueue", "diagnostics.echo"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert refused.returncode == 2
    assert "manage.py up" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "hush" not in refused.stderr


def test_an_argument_that_cannot_be_read_ends_with_status_2(arena: Arena) -> None:
    refused = subprocess.run(
        [*_MANAGE, "enqueue", "diagnostics.echo", "--payload", "{"],
        cwd=ROOT, env=_environment(arena), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert refused.returncode == 2
    assert "--payload: not JSON" in refused.stderr
