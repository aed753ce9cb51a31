"""Processes that an earlier run left behind: found by their records, and ended."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent.parent
SUPERVISOR = "supervisord"

# The supervisor takes up to thirty seconds to stop everything in order.
_PATIENCE_SECONDS = 35.0


@dataclass(frozen=True, kw_only=True)
class Record:
    """A process as it was started. A process id is used again later; with its birth it is not."""

    name: str
    pid: int
    created: float

    def process(self) -> psutil.Process | None:
        """The process, if it still runs."""
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.created) < 0.1
        except psutil.NoSuchProcess:
            return None
        return found if same and found.status() != psutil.STATUS_ZOMBIE else None

    @property
    def number_is_anothers(self) -> bool:
        """Whether its id was given away again, and with it that of its process group."""
        try:
            return abs(psutil.Process(self.pid).create_time() - self.created) >= 0.1
        except psutil.NoSuchProcess:
            return False


def record_process(run: Path, name: str) -> None:
    """Write down that this process is the program `name`; an exec does not change that."""
    process = psutil.Process()
    record = Record(name=name, pid=process.pid, created=process.create_time())
    (run / f"{name}.pid").write_text(json.dumps(asdict(record)))


def records(run: Path) -> list[Record]:
    """Who was started last under each name; a record that was cut off in writing is left out."""
    found = []
    for path in sorted(run.glob("*.pid")):
        try:
            found.append(Record(**json.loads(path.read_text())))
        except (ValueError, TypeError):
            continue
    return found


def end_leftovers(run: Path, *, patience: float = _PATIENCE_SECONDS) -> list[str]:
    """End what an earlier run left behind; the names of what still ran.

    1. The supervisor, which stops its programs in order.
    2. Programs that outlived it.
    3. Their children: each program leads a process group, and they are still members of it.
    """
    recorded = records(run)
    alive = [record for record in recorded if record.process()]
    _end([record for record in alive if record.name == SUPERVISOR], patience)
    _end(alive, patience)
    _kill(_members({record.pid for record in recorded if not record.number_is_anothers}))
    for record in recorded:
        (run / f"{record.name}.pid").unlink(missing_ok=True)
    return [record.name for record in alive]


def _end(recorded: list[Record], patience: float) -> None:
    processes = [process for record in recorded if (process := record.process())]
    for process in processes:
        _unless_gone(process.terminate)
    _, remaining = psutil.wait_procs(processes, timeout=patience)
    _kill(remaining)


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        _unless_gone(process.kill)
    psutil.wait_procs(processes, timeout=5)


def _members(groups: set[int]) -> list[psutil.Process]:
    members = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) in groups and Path(process.cwd()) == ROOT:
                members.append(process)
        except (ProcessLookupError, psutil.Error):
            continue
    return members


def _unless_gone(action: Callable[[], None]) -> None:
    try:
        action()
    except psutil.NoSuchProcess:
        return
