"""Where the supervised processes keep what belongs to one run: `CELERIAC_HOME`."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.supervision.exceptions import AlreadyRunningError

# The longest path of a Unix socket is 104 bytes on macOS and 108 on Linux.
_SOCKET_PATH_LIMIT = 100


@dataclass(frozen=True, kw_only=True)
class Home:
    """The files of one `CELERIAC_HOME`."""

    path: Path

    @property
    def run(self) -> Path:
        """Process records, launch orders, the supervisor's settings and socket."""
        return self.path / "run"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def embedded_env(self) -> Path:
        """The private servers' addresses, which `config.settings` reads in other terminals."""
        return self.path / "embedded.env"

    @property
    def supervisor_settings(self) -> Path:
        return self.path / "supervisord.conf"

    def log(self, program: str) -> Path:
        return self.logs / f"{program}.log"

    def make(self) -> None:
        """Make the directories that are missing; logs and records are for their owner only."""
        self.path.mkdir(mode=0o711, parents=True, exist_ok=True)
        self.run.mkdir(mode=0o700, exist_ok=True)
        self.logs.mkdir(mode=0o700, exist_ok=True)

    def socket(self) -> Path:
        """Where the supervisor listens: in `run`, or in a short place where that is too long."""
        inside = self.run / "supervisor.sock"
        if len(os.fsencode(inside)) <= _SOCKET_PATH_LIMIT:
            return inside
        return Path(tempfile.mkdtemp(prefix="celeriac-")) / "supervisor.sock"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold this home for one run.

        Raises:
            AlreadyRunningError: another process holds it.
        """
        self.make()
        with (self.run / "up.lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise AlreadyRunningError(self.path, file.read().strip()) from None
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            yield
