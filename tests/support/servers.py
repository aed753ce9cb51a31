"""A PostgreSQL and a Valkey of a test's own, to be broken and brought back."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from config.embedded.account import server_account, spawn
from config.embedded.place import server_home
from config.embedded.postgres import prepare_postgres
from config.embedded.server import Server, wait_until_ready
from config.embedded.valkey import prepare_valkey
from config.leash import end_with_parent
from tests.support.waiting import wait_for

READY_SECONDS = 60.0


class BreakableServer:
    """One server process; it keeps its port and its data over every restart."""

    def __init__(self, server: Server, logs: Path) -> None:
        self.server = server
        self.log = logs / f"{server.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.server.url

    def start(self) -> None:
        with self.log.open("ab") as output:
            self._process = spawn(
                self.server.argv,
                self.server.account,
                output=output,
                cwd=self.server.data.parent,
                in_child=end_with_parent(self.server.stop_signal),
            )
        wait_until_ready(self.server, seconds=READY_SECONDS, log=self.log)

    def stop(self, number: signal.Signals) -> None:
        """Send the signal and wait for the end: SIGKILL, or for PostgreSQL SIGQUIT, which is its
        immediate shutdown (no checkpoint, recovery at the next start), or SIGINT, its fast one."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=30)
            self._process = None
            wait_for(self._is_gone, seconds=30, what=f"{self.server.name} is gone")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Inside, it takes connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Inside, nor do the connections that were there answer: those of PostgreSQL have processes
        of their own."""
        with self.frozen():
            assert self._process is not None
            backends = psutil.Process(self._process.pid).children()
            for backend in backends:
                backend.suspend()
            try:
                yield
            finally:
                for backend in backends:
                    backend.resume()

    def restart(self, number: signal.Signals) -> None:
        self.stop(number)
        self.start()

    def ensure(self) -> None:
        """Running, whatever a test before has left."""
        if self._process is None or self._process.poll() is not None:
            self.start()

    def _is_gone(self) -> bool:
        """Backends outlive a killed postmaster for a moment, and a new one refuses to start."""
        return not self.server.is_ready() and self.server.running() is None


def private_servers(
    home: Path, logs: Path, *, on_disk: bool = False, like: Path | None = None
) -> tuple[BreakableServer, BreakableServer]:
    """PostgreSQL and Valkey below `home`, not started yet; the former with the data of that below
    `like`, which was stopped in order. It waits for the disk only where asked to: what was
    committed outlives every end of a process, which is what tests bring about."""
    home.chmod(0o711)
    account = server_account()
    place = server_home(home, account)
    assert os.path.commonpath([place, home]) == str(home), "the servers' data lie elsewhere"
    if like is not None:
        _copy_cluster(server_home(like, account), place)
    size = {"max_connections": "60", "shared_buffers": "64MB"}
    postgres = prepare_postgres(place, account, **size, **({} if on_disk else {"fsync": "off"}))
    valkey = prepare_valkey(place, account)
    return BreakableServer(postgres, logs), BreakableServer(valkey, logs)


def _copy_cluster(source: Path, place: Path) -> None:
    """All but its port."""
    directory = place / "postgres"
    directory.mkdir(mode=0o711)
    parts = [str(source / "postgres" / name) for name in ("data", "password")]
    subprocess.run(["cp", "-a", *parts, str(directory)], check=True, timeout=60)
