"""The programs of one machine's Celeriac, as data."""

import math
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.embedded.account import server_environment
from config.embedded.server import Server
from config.supervision.launch import Order

SERVERS = "servers"
PLATFORM = "platform"

# A worker ends its children and hands their jobs back after the soft stop.
_HAND_BACK_SECONDS = 6


@dataclass(frozen=True, kw_only=True)
class Program:
    """One supervised program. Programs of a group start together and stop together.

    `stop_seconds` is how long it may take to stop before it is killed. By default the longest of
    each group add up to the thirty seconds that stopping everything may take. One that `may_end`
    stays down when it ended with status 0; every other one is started again.
    """

    name: str
    group: str
    order: Order
    stop_seconds: int
    may_end: bool = False

    @property
    def stop_signal(self) -> str:
        return signal.Signals(self.order.stop_signal).name.removeprefix("SIG")


@dataclass(frozen=True, kw_only=True)
class PlatformOptions:
    """What the platform's programs need to know.

    `slots` is jobs at a time, `webhook_slots` webhooks at a time, `soft_stop_seconds` how long
    running jobs may go on after a request to stop, `trusted_proxies` whose word on a caller's
    address is taken.
    """

    host: str
    port: int
    flower_port: int
    flower_login: str
    slots: int
    soft_stop_seconds: float
    log_level: str
    trusted_proxies: tuple[str, ...]
    webhook_slots: int = 16


def longest_stop(programs: Sequence[Program]) -> int:
    """Seconds after which every program has stopped or was killed, group by group."""
    groups = {program.group for program in programs}
    return sum(max(p.stop_seconds for p in programs if p.group == group) for group in groups)


def server_program(server: Server) -> Program:
    """A private server. Its data directory is how a run after a crash finds it."""
    order = Order(
        argv=list(server.argv),
        environment=server_environment(),
        clean=True,
        uid=server.account.uid if server.account.borrowed else None,
        gid=server.account.gid if server.account.borrowed else None,
        stop_signal=server.stop_signal,
        pid_file=str(server.pid_file),
        data=str(server.data),
    )
    return Program(name=server.name, group=SERVERS, order=order, stop_seconds=4)


def platform_programs(options: PlatformOptions, root: Path) -> list[Program]:
    """Web, two dispatchers of which one leads, a worker, one for webhooks, beat and Flower."""
    manage = str(root / "manage.py")
    level = f"--loglevel={options.log_level}"
    return [
        _python(
            "web",
            ["-m", "uvicorn", "config.asgi:application"],
            [f"--host={options.host}", f"--port={options.port}", "--lifespan=off"],
            [f"--log-level={options.log_level.lower()}", "--timeout-graceful-shutdown=10"],
            # Compression would cost each open socket more memory than all else of it.
            ["--ws=websockets-sansio", "--ws-max-size=65536", "--ws-per-message-deflate=false"],
            _forwarding(options.trusted_proxies),
            stop_seconds=12,
        ),
        _python("dispatcher-1", [manage, "dispatch"], stop_seconds=10),
        _python("dispatcher-2", [manage, "dispatch"], stop_seconds=10),
        _worker(
            "worker",
            options,
            ["--hostname=worker-1@%h", f"--concurrency={options.slots}"],
        ),
        _worker(
            "webhooks",
            options,
            ["--hostname=webhooks@%h", f"--concurrency={options.webhook_slots}"],
            ["--queues=webhooks", "--pool=threads"],  # it waits for answers most of the time
        ),
        _python(
            "beat",
            ["-m", "celery", "--quiet", "-A", "config", "beat", level],
            ["--scheduler=scheduling.scheduler:Scheduler"],
            stop_seconds=10,
        ),
        _python(
            "flower",
            [manage, "flower"],
            [f"--address={options.host}", f"--port={options.flower_port}"],
            # Not on the command line, which every user of the machine can read.
            environment={"FLOWER_BASIC_AUTH": options.flower_login},
            stop_seconds=5,
        ),
    ]


def _worker(name: str, options: PlatformOptions, *argv: list[str]) -> Program:
    level = f"--loglevel={options.log_level}"
    return _python(
        name,
        ["-m", "celery", "--quiet", "-A", "config", "worker", "--task-events", level],
        *argv,
        # SIGTERM alone would wait for running jobs without any limit.
        environment={"REMAP_SIGTERM": "SIGQUIT"},
        stop_seconds=math.ceil(options.soft_stop_seconds) + _HAND_BACK_SECONDS,
        may_end=True,
    )


def _forwarding(proxies: Sequence[str]) -> list[str]:
    """Left to itself uvicorn takes the word of every process of this machine."""
    if not proxies:
        return ["--no-proxy-headers"]
    return ["--proxy-headers", f"--forwarded-allow-ips={','.join(proxies)}"]


def _python(
    name: str,
    *argv: list[str],
    stop_seconds: int,
    environment: dict[str, str] | None = None,
    may_end: bool = False,
) -> Program:
    whole = [sys.executable, *(part for parts in argv for part in parts)]
    order = Order(argv=whole, environment=environment or {})
    return Program(
        name=name, group=PLATFORM, order=order, stop_seconds=stop_seconds, may_end=may_end
    )
