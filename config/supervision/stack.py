"""The whole of Celeriac on one machine, from nothing to ready and back."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import requests
from rich.console import Console

from config.embedded.ports import is_free
from config.embedded.private_file import kept_secret
from config.embedded.server import Server, last_lines, stop, wait_until_ready
from config.supervision.exceptions import NotPreparedError, NotReadyError, PortTakenError
from config.supervision.home import Home
from config.supervision.leftovers import ROOT, end_leftovers
from config.supervision.private_servers import private_servers, published
from config.supervision.programs import (
    PLATFORM,
    SERVERS,
    PlatformOptions,
    Program,
    platform_programs,
    server_program,
)
from config.supervision.supervisor import Supervisor, running_supervisor
from config.supervision.watch import Notice, Watch

_SERVER_SECONDS = 60.0
_READY_SECONDS = 90.0
_LOOK_SECONDS = 1.0
FLOWER_USER = "celeriac"


@dataclass(frozen=True, kw_only=True)
class StackOptions:
    """What to run. `given` holds the server addresses that somebody configured, by setting."""

    home: Home
    host: str
    port: int
    flower_port: int
    slots: int
    webhook_slots: int
    soft_stop_seconds: float
    log_level: str
    trusted_proxies: tuple[str, ...]
    given: dict[str, str]


class Stack:
    """The running processes."""

    def __init__(self, options: StackOptions, supervisor: Supervisor, console: Console) -> None:
        self._options = options
        self._supervisor = supervisor
        self._console = console
        self._watch = Watch()
        self.base_url = f"http://{_reachable(options.host)}:{options.port}"
        self.flower_url = f"http://{_reachable(options.host)}:{options.flower_port}"

    def wait_until_ready(self) -> None:
        """Return when /readyz answers 200; say which programs end meanwhile.

        Raises:
            NotReadyError: it did not in time.
        """
        url = f"{self.base_url}/readyz"
        deadline = time.monotonic() + _READY_SECONDS
        while not _answers_200(url):
            self._look()
            if time.monotonic() > deadline:
                raise NotReadyError(url, _READY_SECONDS, last_lines(self._options.home.log("web")))
            time.sleep(0.2)

    def watch(self) -> None:
        """Say which programs end by themselves, and start again what was given up, for ever."""
        while True:
            self._look()
            time.sleep(_LOOK_SECONDS)

    def _look(self) -> None:
        states, now = self._supervisor.states(), time.monotonic()
        for notice in self._watch.observe(states, now):
            self._report(notice)
        for state in self._watch.to_start_again(states, now):
            self._supervisor.start_again(state)

    def _report(self, notice: Notice) -> None:
        if not notice.often:
            self._console.print(f"{notice.program} ended and was started again.")
            return
        log = self._options.home.log(notice.program)
        self._console.print(
            f"[bold red]{notice.program} keeps ending[/]: {notice.times} times within a minute. "
            f"The last lines of {log}:"
        )
        self._console.print(last_lines(log), style="dim", markup=False, highlight=False)


@contextmanager
def running_stack(options: StackOptions, console: Console) -> Iterator[Stack]:
    """Everything, ready for jobs; at the end everything is stopped in order.

    1. End what an earlier run left behind, then see that the ports are free.
    2. The private servers, until they take our password.
    3. The database, brought up to date.
    4. The platform's programs, until the web process says that it is ready.

    Raises:
        SupervisionError, EmbeddedServerError: it cannot run; the text says what to do.
    """
    home = options.home
    with ExitStack() as stack:
        stack.enter_context(home.held())
        _clear_away(home, console)
        _require_free_ports(options)
        servers = private_servers(home, options.given)
        programs = [*map(server_program, servers), *_platform(options)]
        environment = _environment(home, servers)
        for server in servers:  # also where the supervisor died and could not
            stack.callback(stop, server, seconds=10)
        supervisor = stack.enter_context(running_supervisor(programs, home, environment))
        stack.callback(console.print, _farewell(options))
        _start_servers(supervisor, servers, home, console)
        stack.enter_context(published(servers, home))
        _prepare(environment, console)
        supervisor.start_group(PLATFORM)
        running = Stack(options, supervisor, console)
        running.wait_until_ready()
        yield running


def _farewell(options: StackOptions) -> str:
    return f"Stopping; running jobs get up to {options.soft_stop_seconds:g} seconds to finish."


def _clear_away(home: Home, console: Console) -> None:
    ended = end_leftovers(home.run)
    if ended:
        console.print(f"Ended what an earlier run left behind: {', '.join(ended)}.")


def _require_free_ports(options: StackOptions) -> None:
    if not is_free(options.host, options.port):
        raise PortTakenError("The web process", options.host, options.port, "PORT")
    if not is_free(options.host, options.flower_port):
        raise PortTakenError("Flower", options.host, options.flower_port, "FLOWER_PORT")


def _platform(options: StackOptions) -> list[Program]:
    password = kept_secret(options.home.path / "flower-password")
    return platform_programs(
        PlatformOptions(
            host=options.host,
            port=options.port,
            flower_port=options.flower_port,
            flower_login=f"{FLOWER_USER}:{password}",
            slots=options.slots,
            webhook_slots=options.webhook_slots,
            soft_stop_seconds=options.soft_stop_seconds,
            log_level=options.log_level,
            trusted_proxies=options.trusted_proxies,
        ),
        ROOT,
    )


def _environment(home: Home, servers: list[Server]) -> dict[str, str]:
    return {
        **os.environ,
        **{server.setting: server.url for server in servers},
        "CELERIAC_HOME": str(home.path),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "CELERIAC_NO_BOOTSTRAP": "1",
        "PYTHONUNBUFFERED": "1",
    }


def _start_servers(
    supervisor: Supervisor, servers: list[Server], home: Home, console: Console
) -> None:
    if not servers:
        return
    console.print(f"Starting private servers: {', '.join(server.name for server in servers)}.")
    supervisor.start_group(SERVERS)
    for server in servers:
        wait_until_ready(server, seconds=_SERVER_SECONDS, log=home.log(server.name))


def _prepare(environment: dict[str, str], console: Console) -> None:
    console.print("Bringing the database up to date.")
    command = [sys.executable, str(ROOT / "manage.py"), "prepare"]
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode != 0:
        raise NotPreparedError


def _reachable(host: str) -> str:
    """An address at which a server that listens on `host` can be reached from this machine."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared with, not bound to
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _answers_200(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.RequestException:
        return False
