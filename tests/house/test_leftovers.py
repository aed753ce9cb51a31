"""What a killed run left behind is found by its record, and nothing else is touched."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from config.bootstrap import ROOT
from config.supervision.leftovers import end_leftovers, records
from tests.house.waiting import wait_until

# Records itself as `launch` does, and has a child that ignores a polite request.
PROGRAM = """
import subprocess, sys, time
from pathlib import Path
from config.supervision.leftovers import record_process
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
subprocess.Popen([sys.executable, "-c", deaf])
record_process(Path(sys.argv[1]), "worker")
print("recorded", flush=True)
time.sleep(60)
"""


@pytest.fixture
def left_behind(tmp_path: Path) -> Iterator[psutil.Process]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"recorded\n"
        yield psutil.Process(process.pid)
        process.kill()


def test_a_program_and_its_children_are_ended(left_behind: psutil.Process, tmp_path: Path) -> None:
    (child,) = left_behind.children()
    assert end_leftovers(tmp_path, patience=5) == ["worker"]
    psutil.wait_procs([child], timeout=5)
    assert not child.is_running()
    assert records(tmp_path) == []
    assert end_leftovers(tmp_path, patience=5) == []


def test_children_are_ended_although_their_parent_is_gone(
    left_behind: psutil.Process, tmp_path: Path
) -> None:
    (child,) = left_behind.children()
    left_behind.kill()
    wait_until(lambda: left_behind.status() == psutil.STATUS_ZOMBIE, seconds=5)
    assert end_leftovers(tmp_path, patience=5) == []
    psutil.wait_procs([child], timeout=5)
    assert not child.is_running()


def test_another_process_with_the_same_number_and_its_children_are_left_alone(
    left_behind: psutil.Process, tmp_path: Path
) -> None:
    (child,) = left_behind.children()
    record = {"name": "worker", "pid": left_behind.pid, "created": 1.0}
    (tmp_path / "worker.pid").write_text(json.dumps(record))
    assert end_leftovers(tmp_path, patience=1) == []
    assert left_behind.is_running()
    assert child.is_running()
    child.kill()


def test_a_record_that_was_cut_off_in_writing_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "worker.pid").write_text('{"name": "wor')
    assert end_leftovers(tmp_path, patience=1) == []
