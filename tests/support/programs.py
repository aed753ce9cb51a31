"""Real processes of Celeriac under a test's hands: started, killed, frozen and thawed by pid."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from config.bootstrap import ROOT
from config.leash import end_with_parent
from tests.support.waiting import wait_for


class Program:
    """One program with its own log. It dies with the test run, however that ends."""

    def __init__(
        self, name: str, argv: Sequence[str], environment: Mapping[str, str], logs: Path
    ) -> None:
        self.name = name
        self.log = logs / f"{name}.log"
        self._log_begins = self.log.stat().st_size if self.log.exists() else 0
        self._argv, self._environment = list(argv), dict(environment)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Program:
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._argv,
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=end_with_parent(signal.SIGKILL),
            )
        return self

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} was never started"
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def keep_up(self) -> None:
        """What a supervisor does: start it again if it has ended."""
        if not self.is_alive:
            self.start()

    def children(self) -> list[int]:
        """The processes it has forked; for a worker those that run jobs."""
        try:
            return sorted(child.pid for child in psutil.Process(self.pid).children())
        except psutil.NoSuchProcess:
            return []

    def send(self, number: signal.Signals, *, to_children: bool = False) -> None:
        """A signal to the main process, or first to it and then to its children as well, so that
        it cannot replace them in between."""
        for pid in [self.pid, *(self.children() if to_children else [])]:
            _kill(pid, number)

    def kill(self) -> None:
        """kill -9 of the main process. The children of a worker die with it."""
        if self.is_alive:
            self.send(signal.SIGKILL)
        self.wait_until_ended(seconds=10)

    def wait_until_ended(self, *, seconds: float) -> int:
        """Its exit code."""
        assert self._process is not None
        try:
            return self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {seconds} s") from None

    def clear_away(self) -> None:
        """End it and everything it started, whatever state it is in."""
        if self._process is None:
            return
        family = [psutil.Process(pid) for pid in self.children() if psutil.pid_exists(pid)]
        if self.is_alive:
            _kill(self.pid, signal.SIGKILL)
        self._process.wait()
        for child in family:
            if child.is_running():
                _kill(child.pid, signal.SIGKILL)
        wait_for(
            lambda: not any(child.is_running() for child in family),
            seconds=10,
            what=f"the children of {self.name} end",
        )

    def log_text(self) -> str:
        """What it wrote itself; before it others of its name wrote to the same file."""
        if not self.log.exists():
            return ""
        return self.log.read_bytes()[self._log_begins :].decode(errors="replace")


def kill_child(pid: int) -> None:
    _kill(pid, signal.SIGKILL)


def _kill(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
