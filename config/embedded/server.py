"""What the two private servers have in common: how one is found, awaited and stopped."""

import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

from config.embedded.account import Account
from config.embedded.exceptions import NotReadyError


class Probe(Protocol):
    """Answers whether a server at `url` is ours and ready: it takes our password."""

    def __call__(self, url: str) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Server:
    """One private server: how to start it, and how to tell that it runs."""

    name: str
    argv: tuple[str, ...]
    account: Account
    data: Path
    pid_file: Path
    port: int
    url: str = field(repr=False)  # carries the password
    setting: str  # the environment variable that its url goes into
    stop_signal: signal.Signals
    answers: Probe

    def running(self) -> int | None:
        """The process id of this server if it runs, whoever started it."""
        return running(self.pid_file, self.data)

    def is_ready(self) -> bool:
        return self.answers(self.url)


def running(pid_file: Path, data: Path) -> int | None:
    """The process that `pid_file` names, if it is a server on `data`.

    A process id alone proves nothing: after a crash another program may bear it. Both servers work
    inside their data directory, and nothing else does.
    """
    try:
        pid = int(pid_file.read_text().split()[0])
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE or Path(process.cwd()) != data.resolve():
            return None
    except (FileNotFoundError, IndexError, ValueError, psutil.Error):
        return None
    return pid


def wait_until_ready(server: Server, *, seconds: float, log: Path | None = None) -> None:
    """Return when the server takes our password.

    Raises:
        NotReadyError: it did not within `seconds`; the text ends with the last lines of `log`.
    """
    deadline = time.monotonic() + seconds
    while not server.is_ready():
        if time.monotonic() > deadline:
            raise NotReadyError(server.name, seconds, last_lines(log) if log else "")
        time.sleep(0.05)


def stop(server: Server, *, seconds: float) -> None:
    """Stop the server if it runs: in order first, by force after `seconds`."""
    pid = server.running()
    if pid is None:
        return
    try:
        process = psutil.Process(pid)
        os.kill(pid, server.stop_signal)
        process.wait(timeout=seconds)
    except psutil.TimeoutExpired:
        process.kill()
    except (ProcessLookupError, psutil.NoSuchProcess):
        return


def last_lines(log: Path, count: int = 10) -> str:
    """The end of a log, for people who ask why something did not start."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16_384))
        text = file.read().decode(errors="replace")
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-count:])
