"""What the supervisor makes of a worker that ended: asked to, or not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from config.supervision.home import Home
from config.supervision.launch import Order
from config.supervision.programs import PLATFORM, PlatformOptions, Program, platform_programs
from config.supervision.supervisor import ProgramState, Supervisor, running_supervisor
from tests.house.waiting import wait_until

_LASTS = 3  # seconds: what ends sooner counts as not started


def _ends_with(status: int, name: str) -> Program:
    code = f"import sys, time; time.sleep({_LASTS}); sys.exit({status})"
    order = Order(argv=[sys.executable, "-c", code], environment={})
    return Program(name=name, group=PLATFORM, order=order, stop_seconds=5, may_end=True)


def _state(supervisor: Supervisor, name: str) -> ProgramState:
    return next(state for state in supervisor.states() if state.name == name)


def test_a_worker_that_was_asked_to_end_stays_down_and_one_that_failed_is_started_again(
    tmp_path: Path,
) -> None:
    home = Home(path=tmp_path)
    home.make()
    programs = [_ends_with(0, "asked"), _ends_with(1, "failed")]
    environment = {**os.environ, "CELERIAC_HOME": str(tmp_path)}
    with running_supervisor(programs, home, environment) as supervisor:
        supervisor.start_group(PLATFORM)
        wait_until(lambda: _state(supervisor, "failed").started > 0, seconds=60)
        first = _state(supervisor, "failed").started
        wait_until(lambda: _state(supervisor, "failed").started > first, seconds=60)
        wait_until(lambda: _state(supervisor, "asked").state == "EXITED", seconds=60)
        second = _state(supervisor, "failed").started
        wait_until(lambda: _state(supervisor, "failed").started > second, seconds=60)
        assert _state(supervisor, "asked").state == "EXITED"


def test_of_the_programs_only_workers_may_end(tmp_path: Path) -> None:
    options = PlatformOptions(
        host="127.0.0.1", port=1, flower_port=2, flower_login="a:b", slots=1,
        soft_stop_seconds=1.0, log_level="INFO", trusted_proxies=(),
    )  # fmt: skip
    programs = platform_programs(options, tmp_path)
    assert [program.name for program in programs if program.may_end] == ["worker", "webhooks"]
