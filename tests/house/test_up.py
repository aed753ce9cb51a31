"""`manage.py up`: one command from nothing to a job's result, and back to nothing."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
import requests

from tests.house.installation import Installation
from tests.house.waiting import wait_until

START_SECONDS = 120  # not a promise: as long as a busy machine may take
STOP_SECONDS = 30


@pytest.fixture
def installation(open_directory: Path) -> Installation:
    home = open_directory / "home"
    home.mkdir(mode=0o711)
    return Installation(home)


def stop(process: subprocess.Popen[str], request: signal.Signals) -> None:
    process.send_signal(request)
    process.wait(timeout=STOP_SECONDS)


def test_a_job_runs_through_and_a_stop_leaves_no_process(installation: Installation) -> None:
    with installation.up() as process:
        installation.wait_until_ready(process)
        assert requests.get(f"{installation.base_url}/readyz", timeout=5).status_code == 200
        assert _echo(installation)["result"] == {"hello": "world"}

        running = " ".join(installation.processes().values())
        for program in ("uvicorn", "dispatch", "worker", "beat", "flower", "postgres"):
            assert program in running
        assert "--queues=webhooks --pool=threads" in running
        flower_password = (installation.home / "flower-password").read_text()
        assert flower_password not in running

        stop(process, signal.SIGTERM)
        assert process.returncode == 0
        assert installation.processes() == {}
        assert not (installation.home / "embedded.env").exists()


def test_servers_that_a_killed_run_left_are_taken_over_with_their_data(
    installation: Installation,
) -> None:
    with installation.up() as process:
        wait_until(lambda: "Platform token" in installation.output, seconds=START_SECONDS)
        token, servers = installation.token(), installation.server_ids()
        process.send_signal(signal.SIGSTOP)  # so that it cannot tidy up after its supervisor
        os.kill(installation.recorded("supervisord"), signal.SIGKILL)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert set(servers.values()) <= set(installation.processes())

        with installation.up() as second:
            installation.wait_until_ready(second)
            assert installation.server_ids() == servers
            assert "First start" not in installation.output
            assert _count(installation, "uvicorn") == _count(installation, "config beat") == 1
            me = requests.get(
                f"{installation.base_url}/api/v1/me",
                headers={"Authorization": f"Bearer {token}"},
                timeout=5,
            )
            assert me.status_code == 200
            stop(second, signal.SIGINT)
            assert second.returncode == 0
            assert installation.processes() == {}


def test_a_killed_command_takes_everything_with_it(installation: Installation) -> None:
    with installation.up() as process:
        wait_until(lambda: (installation.home / "embedded.env").exists(), seconds=START_SECONDS)
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_until(lambda: not installation.processes(), seconds=STOP_SECONDS)


def test_a_taken_port_is_named_before_anything_starts(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with installation.up(port=port) as process:
            assert process.wait(timeout=START_SECONDS) == 1
    assert f"127.0.0.1:{port}" in installation.output
    assert "PORT=" in installation.output
    assert "Traceback" not in installation.output
    assert not (installation.home / "servers").exists()


def test_a_second_start_on_the_same_home_is_refused(
    installation: Installation,
) -> None:
    with installation.up() as first:
        starting = "Starting private servers"
        wait_until(lambda: starting in installation.output, seconds=START_SECONDS)
        refused = Installation(installation.home).run_up()
        assert refused.returncode == 1
        assert f"process {first.pid}" in refused.stderr
        stop(first, signal.SIGTERM)
        assert first.returncode == 0, installation.output


def _count(installation: Installation, words: str) -> int:
    return sum(words in line for line in installation.processes().values())


def _echo(installation: Installation) -> dict[str, object]:
    headers = {"Authorization": f"Bearer {installation.token()}"}
    jobs = f"{installation.base_url}/api/v1/jobs"
    body = {"type": "diagnostics.echo", "payload": {"hello": "world"}}
    created = requests.post(jobs, json=body, headers=headers, timeout=10)
    assert created.status_code == 201, created.text
    deadline = time.monotonic() + START_SECONDS  # of the worker: ready means accepted
    while time.monotonic() < deadline:
        job = requests.get(f"{jobs}/{created.json()['id']}", headers=headers, timeout=10).json()
        if job["status"] not in ("queued", "processing"):
            assert job["status"] == "completed", job
            return dict(job)
        time.sleep(0.1)
    pytest.fail(f"not completed: {job}\n{installation.logs()}")
