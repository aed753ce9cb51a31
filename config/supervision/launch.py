"""Becomes one of the supervised programs: `python -m config.supervision.launch NAME`.

What to become stands in CELERIAC_HOME/run/NAME.json. Before it becomes that, this process

1. records itself, so that the next start finds it if it is ever left behind;
2. changes to the program's user;
3. arranges to be told to stop when the supervisor dies.

A server that a killed supervisor left running is not started twice: this process then stands in
for it, passes the request to stop on to it, and ends when it ends.
"""

import json
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

import psutil

from config.embedded.private_file import write_private
from config.embedded.server import running
from config.leash import end_with_parent
from config.supervision.leftovers import record_process

_POLL_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to become. `environment` is added to ours, or replaces it where `clean`."""

    argv: list[str]
    environment: dict[str, str]
    clean: bool = False
    uid: int | None = None
    gid: int | None = None
    stop_signal: int = signal.SIGTERM
    # Of a server that outlives its supervisor: how to find it.
    pid_file: str | None = None
    data: str | None = None

    def write(self, run: Path, name: str) -> None:
        """Keep the order for `launch`; it may carry passwords, so only its owner may read it."""
        write_private(run / f"{name}.json", json.dumps(asdict(self)))


def main(name: str, run: Path) -> NoReturn:
    order = Order(**json.loads((run / f"{name}.json").read_text()))
    pid = _left_running(order)
    if pid is not None:
        _stand_in_for(pid, order.stop_signal)
    if order.pid_file is None:
        record_process(run, name)
    _become(order)


def _left_running(order: Order) -> int | None:
    if order.pid_file is None or order.data is None:
        return None
    return running(Path(order.pid_file), Path(order.data))


def _stand_in_for(pid: int, stop_signal: int) -> NoReturn:
    server = psutil.Process(pid)

    def pass_on(_signal: int, _frame: FrameType | None) -> None:
        server.send_signal(stop_signal)

    for asked in (signal.SIGTERM, signal.SIGINT):
        signal.signal(asked, pass_on)
    while server.is_running() and server.status() != psutil.STATUS_ZOMBIE:
        time.sleep(_POLL_SECONDS)
    sys.exit(0)


def _become(order: Order) -> NoReturn:
    parent = os.getppid()
    if order.uid is not None and order.gid is not None:
        os.setgroups([])
        os.setgid(order.gid)
        os.setuid(order.uid)
    if order.pid_file is None:  # a server rather stays, and is taken over by the next start
        end_with_parent(signal.SIGTERM)()
        if os.getppid() != parent:  # it died before we asked to be told
            sys.exit(1)
    inherited = {} if order.clean else dict(os.environ)
    os.execve(order.argv[0], order.argv, {**inherited, **order.environment})  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1], Path(os.environ["CELERIAC_HOME"]) / "run")
