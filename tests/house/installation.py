"""A whole Celeriac as `manage.py up` starts it, in a home of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from config.bootstrap import ROOT
from config.embedded.ports import free_port
from config.embedded.server import last_lines
from tests.house.waiting import wait_until

# What the tests' own servers are called must not reach the one under test.
_OURS = ("DATABASE_URL", "REDIS_URL", "BROKER_URL", "SECRET_KEY", "CELERIAC_HOME")
_UP = [sys.executable, "manage.py", "up"]


class Installation:
    """One CELERIAC_HOME on free ports. Starting it is quick to ask for and slow to happen."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port, self.flower_port = free_port(), free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.output = ""

    @contextmanager
    def up(self, *, port: int | None = None) -> Iterator[subprocess.Popen[str]]:
        """`manage.py up` as a process; whatever is left of it at the end is killed."""
        self.output = ""
        with subprocess.Popen(
            _UP,
            cwd=ROOT,
            env=self._environment(port or self.port),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            reader = threading.Thread(target=self._read, args=[process])
            reader.start()
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGKILL)
                self.kill_everything()
                reader.join(timeout=30)

    def run_up(self) -> subprocess.CompletedProcess[str]:
        """`manage.py up` to its end, for a start that is to be refused."""
        return subprocess.run(
            _UP,
            cwd=ROOT,
            env=self._environment(self.port),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def wait_until_ready(self, process: subprocess.Popen[str]) -> None:
        wait_until(lambda: "is ready" in self.output or process.poll() is not None, seconds=200)
        assert process.poll() is None, self.output

    def token(self) -> str:
        """The platform token that the first start printed."""
        found = re.search(r"Platform token\s+(\S+)", self.output)
        assert found, self.output
        return found[1]

    def recorded(self, name: str) -> int:
        """The process id that a program recorded when it started."""
        record = json.loads((self.home / "run" / f"{name}.pid").read_text())
        return int(record["pid"])

    def processes(self) -> dict[int, str]:
        """Every process of this installation that runs, by what it was started with or works in."""
        found = {}
        for process in psutil.process_iter():
            try:
                if process.status() != psutil.STATUS_ZOMBIE and self._is_ours(process):
                    found[process.pid] = " ".join(process.cmdline())
            except psutil.Error:
                continue
        return found

    def server_ids(self) -> dict[str, int]:
        """The process ids of the private servers, by name."""
        servers = self.home / "servers"
        files = {
            "postgres": servers / "postgres" / "data" / "postmaster.pid",
            "valkey": servers / "valkey" / "data" / "valkey.pid",
        }
        return {name: int(path.read_text().split()[0]) for name, path in files.items()}

    def logs(self) -> str:
        """The end of each program's log, to explain a failure."""
        paths = sorted((self.home / "logs").glob("*.log"))
        return "\n".join(f"== {path.name}\n{last_lines(path, 40)}" for path in paths)

    def kill_everything(self) -> None:
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        wait_until(lambda: not self.processes(), seconds=15)

    def _environment(self, port: int) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if name not in _OURS}
        return {
            **clean,
            "PORT": str(port),
            "FLOWER_PORT": str(self.flower_port),
            "CELERIAC_HOME": str(self.home),
            "WORKER_CONCURRENCY": "1",
        }

    def _is_ours(self, process: psutil.Process) -> bool:
        home = str(self.home)
        return process.environ().get("CELERIAC_HOME") == home or process.cwd().startswith(home)

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.output += line
