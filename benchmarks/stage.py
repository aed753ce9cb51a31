"""Servers and processes for a benchmark, on this machine, gone when it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.bootstrap import ROOT
from config.leash import end_with_parent

_PATIENCE = 120  # seconds for a process to end, on a machine that does much else


@contextmanager
def servers() -> Iterator[None]:
    """Private PostgreSQL (fully durable) and Valkey; their URLs stand in the environment."""
    home = Path(tempfile.mkdtemp(prefix="celeriac-benchmark-"))
    home.chmod(0o711)
    keeper = subprocess.Popen(
        [sys.executable, "-m", "config.embedded.keeper", str(home)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert keeper.stdout is not None
    os.environ.update(
        json.loads(keeper.stdout.readline()),
        CELERIAC_HOME=str(home),
        SECRET_KEY="a key for benchmarks only, long enough to be legal",
        DJANGO_SETTINGS_MODULE="config.settings",
        LOG_LEVEL="WARNING",
        RATE_LIMIT_ENABLED="0",
        WORKER_SOFT_SHUTDOWN_SECONDS="1",  # what still runs at the end is of no interest
    )
    os.environ["PLAIN_BROKER_URL"] = os.environ["REDIS_URL"].removesuffix("/0") + "/1"
    try:
        yield
    finally:
        keeper.communicate()


@contextmanager
def process(*arguments: str) -> Iterator[int]:
    """A Python process beside the benchmark; yields its pid."""
    running = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: end_with_parent(signal.SIGKILL)(),
    )
    try:
        yield running.pid
    finally:
        running.terminate()
        running.wait(timeout=_PATIENCE)


def celery_worker(app: str, children: int) -> tuple[str, ...]:
    """Arguments of `process` for a worker with so many children."""
    return ("-m", "celery", "-A", app, "worker", "-l", "WARNING", "-c", str(children))
