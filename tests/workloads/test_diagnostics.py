"""The diagnostic job types, run as functions with a recording context."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from jobs import CancelRequested, JobType, registry
from jobs.exceptions import InvalidPayload
from jobs.testing.fixtures import Jobs
from tests.workloads.recording import Recorder, context
from workloads.diagnostics.chance import draw
from workloads.diagnostics.errors import FailedAsAsked
from workloads.diagnostics.job_types import echo, fail, flaky, sleep

Kind = JobType[..., dict[str, Any]]


def run(
    kind: Kind, payload: dict[str, Any], recorder: Recorder | None = None, *, attempt: int = 1
) -> dict[str, Any]:
    return kind(context(recorder, attempt=attempt), **kind.arguments(kind.validated(payload)))


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"hello": "world", "list": [1, None, {"deep": True}]},
        {"context": 1, "self": 2, "payload": 3, "kwargs": 4},
        {"copy": 1, "json": 2, "model_fields": 3, "model_dump": 4},
        {"with space": "", "ünï": "✓", "_private": 1},
    ],
)
def test_echo_returns_any_payload(payload: dict[str, Any]) -> None:
    assert run(echo, payload) == payload


def test_sleep_reports_each_step() -> None:
    recorder = Recorder()

    assert run(sleep, {"seconds": 0.05, "steps": 5}, recorder) == {"seconds": 0.05, "steps": 5}
    assert recorder.percents == [20, 40, 60, 80, 100]
    assert recorder.messages[-1] == "step 5 of 5"


def test_sleep_takes_its_time() -> None:
    started = time.monotonic()

    run(sleep, {"seconds": 0.3, "steps": 2})

    assert time.monotonic() - started >= 0.3


def test_sleep_leaves_at_once_when_cancelled() -> None:
    started = time.monotonic()

    with pytest.raises(CancelRequested):
        run(sleep, {"seconds": 600, "steps": 6000}, Recorder(cancel_after=1))

    assert time.monotonic() - started < 5


@pytest.mark.parametrize("attempt", [1, 2])
def test_fail_fails_as_many_attempts_as_asked(attempt: int) -> None:
    with pytest.raises(FailedAsAsked, match="on purpose"):
        run(fail, {"times": 2, "message": "on purpose"}, attempt=attempt)


def test_fail_then_succeeds(celeriac_jobs: Jobs) -> None:
    fail.enqueue(tenant="default", times=2)

    done = celeriac_jobs.drain(skip_waits=True)

    assert [job.status for job in done] == ["scheduled", "scheduled", "completed"]
    assert done[-1].result == {"failed": 2, "attempt": 3}


def test_flaky_repeats_itself_for_the_same_seed() -> None:
    assert [draw(7, attempt) for attempt in range(5)] == [draw(7, attempt) for attempt in range(5)]
    assert draw(7, 1) != draw(8, 1)


def test_flaky_draws_are_evenly_spread() -> None:
    draws = [draw(seed, 1) for seed in range(1000)]

    assert all(0 <= drawn < 1 for drawn in draws)
    assert 400 < sum(drawn < 0.5 for drawn in draws) < 600


def test_flaky_fails_always_or_never_at_the_ends_of_its_scale() -> None:
    for attempt in range(1, 20):
        run(flaky, {"probability": 0, "seed": 3}, attempt=attempt)
        with pytest.raises(FailedAsAsked):
            run(flaky, {"probability": 1, "seed": 3}, attempt=attempt)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (sleep, {"seconds": -1}),
        (sleep, {"steps": 0}),
        (sleep, {"seconds": float("inf")}),
        (sleep, {"minutes": 1}),
        (fail, {"times": -1}),
        (flaky, {"probability": 1.1}),
    ],
)
def test_impossible_parameters_are_refused(kind: Kind, payload: dict[str, Any]) -> None:
    with pytest.raises(InvalidPayload):
        kind.validated(payload)


def test_retries_come_soon_enough_for_a_check() -> None:
    for kind in (echo, sleep, fail, flaky):
        assert kind.backoff.base_seconds == 1
        assert kind.backoff.max_seconds <= 10


def names(**environment: str) -> set[str]:
    """The diagnostic job types that a process with this environment knows."""
    program = (
        "import django; django.setup(); import workloads.tasks; from jobs import registry; "
        "print(*(kind.name for kind in registry.all()))"
    )
    found = _python(program, **environment)
    assert found.returncode == 0, found.stderr
    return {name for name in found.stdout.split() if name.startswith("diagnostics.")}


def _python(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(settings.BASE_DIR),
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", **environment},
    )


def test_types_that_harm_a_worker_exist_only_where_they_are_switched_on() -> None:
    harmless = {f"diagnostics.{name}" for name in ("echo", "sleep", "fail", "flaky")}

    assert names(DIAGNOSTICS_CRASH="0") == harmless
    assert names(DIAGNOSTICS_CRASH="1") == harmless | {"diagnostics.crash", "diagnostics.allocate"}


def test_every_shipped_type_has_a_line_for_people() -> None:
    import workloads.tasks  # noqa: F401 - registers them

    shipped = [kind for kind in registry.all() if kind.origin.startswith("workloads.")]
    assert {"notes.text", "notes.file", "diagnostics.echo"} <= {kind.name for kind in shipped}
    assert all(kind.description.endswith(".") for kind in shipped)


CRASH = """
import django; django.setup()
from tests.workloads.recording import context
from workloads.diagnostics.harmful import crash
for attempt in (3, 2, 1):
    print(crash(context(attempt=attempt), times=1)["crashed"], flush=True)
"""


def test_crash_kills_its_own_process_as_often_as_asked() -> None:
    crashed = _python(CRASH)

    assert (crashed.returncode, crashed.stdout) == (-9, "1\n1\n")


ALLOCATE = """
import django; django.setup()
from dataclasses import replace
import psutil
from tests.workloads.recording import context
from workloads.diagnostics.harmful import allocate

class Watching:  # not ru_maxrss: a child inherits the peak of the process that started it
    peak = 0
    def progress(self, percent, message):
        self.peak = max(self.peak, psutil.Process().memory_info().rss)
    def cancel_requested(self):
        return False

watching, before = Watching(), psutil.Process().memory_info().rss
assert allocate(replace(context(), reporter=watching), megabytes=100)["megabytes"] == 100
print((watching.peak - before) // 1024**2)
"""


def test_allocate_takes_up_resident_memory() -> None:
    allocated = _python(ALLOCATE)

    assert allocated.returncode == 0, allocated.stderr
    assert 90 <= int(allocated.stdout) <= 200
