"""Job types of the tests: hard-working, deaf, stuck, deadly."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from celery import shared_task

from jobs import JobContext, job_type
from tests.testapp.trace import TRACE, hold_of, leave_trace

_BEAT_SECONDS = 0.05


@job_type("testing.work", retry_backoff="none", timeout=600)
def work(context: JobContext, *, seconds: float = 0.0) -> dict[str, Any]:
    """Take so long, with a sign of life all the while."""
    leave_trace(context.attempt_id, "start")
    end = time.monotonic() + seconds
    while (rest := end - time.monotonic()) > 0:
        context.sleep(min(rest, _BEAT_SECONDS))
        leave_trace(context.attempt_id, "alive")
    leave_trace(context.attempt_id, "end")
    return {"attempt": context.attempt_id, "pid": os.getpid()}


@job_type("testing.held", retry_backoff="none", timeout=600)
def held(context: JobContext, *, seconds: float) -> None:
    """Take so long, and longer while a test holds it."""
    context.sleep(seconds)
    hold = hold_of(Path(os.environ[TRACE]))
    while hold.exists():
        context.sleep(_BEAT_SECONDS)


@job_type("testing.talk", retry_backoff="none", timeout=600)
def talk(context: JobContext, *, then: str = "") -> None:
    """Log a line, wait while a test holds it, then log another and end, or die."""
    context.log("first")
    hold = hold_of(Path(os.environ[TRACE]))
    while hold.exists():
        context.sleep(_BEAT_SECONDS)
    context.log("second")
    if then == "die" and context.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)


@job_type("testing.deaf", retry_backoff="none", timeout=600)
def deaf(context: JobContext, *, seconds: float) -> dict[str, Any]:
    """Never ask whether to stop, and write at the end as if nothing had happened."""
    leave_trace(context.attempt_id, "start")
    end = time.monotonic() + seconds
    while (rest := end - time.monotonic()) > 0:
        time.sleep(min(rest, _BEAT_SECONDS))
        leave_trace(context.attempt_id, "alive")
    leave_trace(context.attempt_id, "end")
    return {"attempt": context.attempt_id}


@job_type("testing.swallow", retry_backoff="none", timeout=600)
def swallow(context: JobContext, *, seconds: float) -> None:
    """Swallow whatever exception is raised into it, and go on."""
    leave_trace(context.attempt_id, "start")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            leave_trace(context.attempt_id, "alive")
            time.sleep(_BEAT_SECONDS)
        except BaseException:  # noqa: BLE001 (this is what it is for)
            continue


@job_type("testing.stuck", retry_backoff="none", timeout=600)
def stuck(context: JobContext, *, steps: int = 10**11) -> int:
    """One call into C that takes an hour and lets no signal handler run."""
    leave_trace(context.attempt_id, "start")
    return sum(range(steps))


@job_type("testing.crash", retry_backoff="none", timeout=600)
def crash(context: JobContext) -> None:
    """Kill the process that runs it."""
    leave_trace(context.attempt_id, "start")
    os.kill(os.getpid(), 9)


LIMIT = 5  # jobs of `testing.limited` with the same key


@job_type(
    "testing.limited", retry_backoff="none", timeout=600,
    limit_key="{key}", key_max_concurrency=LIMIT,
)  # fmt: skip
def limited(context: JobContext, *, key: str, seconds: float = 0.0) -> dict[str, Any]:
    """Take so long; leave a trace of each moment by the database's clock."""
    leave_trace(context.attempt_id, "start", key=key, clock=_clock())
    end = time.monotonic() + seconds
    while (rest := end - time.monotonic()) > 0:
        time.sleep(min(rest, _BEAT_SECONDS))
        leave_trace(context.attempt_id, "alive", key=key, clock=_clock())
    leave_trace(context.attempt_id, "end", key=key, clock=_clock())
    return {"attempt": context.attempt_id}


def _clock() -> float:
    """The database's, in seconds."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        row = cursor.fetchone()
    assert row is not None
    return float(row[0])


@job_type("testing.connection", retry_backoff="none")
def connection_id(context: JobContext) -> dict[str, Any]:
    """Which process ran it, over which database session."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        row = cursor.fetchone()
    assert row is not None
    return {"pid": os.getpid(), "session": row[0]}


@job_type("testing.leaving", retry_backoff="none", timeout=600)
def leaving(context: JobContext) -> dict[str, str]:
    """Hand files over, wait while a test holds it, and return what no row takes."""
    context.artifact("page.txt", context.attempt_id)
    context.artifact("large.bin", bytes(3_000_000))
    leave_trace(context.attempt_id, "handed over")
    hold = hold_of(Path(os.environ[TRACE]))
    while hold.exists():
        context.sleep(_BEAT_SECONDS)
    return {"attempt": context.attempt_id, "text": "x" * 2_000_000}


@shared_task(name="testing.plain")
def plain(seconds: float, ballast: str = "") -> None:
    """One of Celery's own, no job; it takes so long, and its message is as large as its ballast."""
    leave_trace("plain", "start")
    time.sleep(seconds)
    leave_trace("plain", "end")
