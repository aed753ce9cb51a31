"""supervisord as a child process, and what we ask of it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from config.supervision.configuration import render_configuration
from config.supervision.exceptions import SupervisorEndedError
from config.supervision.home import Home
from config.supervision.launch import Order
from config.supervision.leftovers import ROOT, SUPERVISOR, end_leftovers
from config.supervision.programs import Program, longest_stop

_ANSWER_SECONDS = 20.0
_STOP_MARGIN_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class ProgramState:
    """How one program is. `started` is seconds since 1970, 0 if it never was."""

    name: str
    group: str
    state: str
    started: int
    exit_status: int


class Supervisor:
    """A running supervisord."""

    def __init__(self, process: subprocess.Popen[bytes], socket: Path, home: Home) -> None:
        self._process = process
        self._address = f"unix://{socket}"
        self._home = home

    def start_group(self, group: str) -> None:
        """Start every program of a group, without waiting for any."""
        with self._remote() as remote:
            remote.startProcessGroup(group, False)

    def start_again(self, program: ProgramState) -> None:
        """Start a program that supervisord has given up."""
        try:
            with self._remote() as remote:
                remote.startProcess(f"{program.group}:{program.name}", False)
        except Fault:  # it started by itself meanwhile
            return

    def states(self) -> list[ProgramState]:
        """How every program is now.

        Raises:
            SupervisorEndedError: supervisord itself is gone.
        """
        try:
            with self._remote() as remote:
                rows = remote.getAllProcessInfo()
        except (OSError, HTTPException) as error:
            raise SupervisorEndedError(self._home.log(SUPERVISOR)) from error
        return [
            ProgramState(
                name=row["name"],
                group=row["group"],
                state=row["statename"],
                started=row["start"],
                exit_status=row["exitstatus"],
            )
            for row in rows
        ]

    @contextmanager
    def _remote(self) -> Iterator[Any]:
        """A new connection each time: the transport cannot use one again that was ever refused."""
        transport: Any = SupervisorTransport(None, None, self._address)
        try:
            yield ServerProxy("http://127.0.0.1", transport=transport).supervisor
        finally:
            transport.close()

    def wait_until_answering(self) -> None:
        deadline = time.monotonic() + _ANSWER_SECONDS
        while True:
            try:
                self.states()
            except SupervisorEndedError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return


@contextmanager
def running_supervisor(
    programs: Sequence[Program], home: Home, environment: dict[str, str]
) -> Iterator[Supervisor]:
    """supervisord with these programs, none started yet; at the end all are stopped in order."""
    socket = home.socket()
    settings = render_configuration(programs, socket=socket, as_root=os.geteuid() == 0)
    home.supervisor_settings.write_text(settings)
    argv = [sys.executable, "-m", "supervisor.supervisord", "-c", str(home.supervisor_settings)]
    Order(argv=argv, environment={}).write(home.run, SUPERVISOR)
    for program in programs:
        program.order.write(home.run, program.name)
    process = subprocess.Popen(
        [sys.executable, "-m", "config.supervision.launch", SUPERVISOR],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C reaches us only, and we stop the programs in order
    )
    try:
        supervisor = Supervisor(process, socket, home)
        supervisor.wait_until_answering()
        yield supervisor
    finally:
        _stop(process, home, seconds=longest_stop(programs) + _STOP_MARGIN_SECONDS)
        if socket.parent != home.run:
            socket.unlink(missing_ok=True)
            socket.parent.rmdir()


def _stop(process: subprocess.Popen[bytes], home: Home, *, seconds: float) -> None:
    process.terminate()
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    end_leftovers(home.run)
