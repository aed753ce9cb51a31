"""All checks. Each server has its own time, so that one that hangs hides nothing of the others."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.db import connection, connections

from config.doctor import (
    database,
    installation,
    messaging,
    processes,
    recurring,
    security,
    waiting,
)
from config.doctor.finding import Check, Finding, Level, fail

SECONDS = 5.0
_CONNECT_SECONDS, _STATEMENT_SECONDS = 2, 3


@dataclass(frozen=True, kw_only=True)
class Group:
    """Checks of one server. Where `probe` fails, the others could say nothing."""

    name: str
    checks: Sequence[Check]
    probe: Check | None = None
    why: str
    way_out: str
    # What to do around them in the thread that runs them.
    before: Callable[[], None] = field(default=lambda: None)
    after: Callable[[], None] = field(default=lambda: None)


def _bounded_connection() -> None:
    """Give this thread a database connection on which nothing is waited for very long."""
    bounded = connection.copy()
    options = bounded.settings_dict.setdefault("OPTIONS", {})
    bounds = f"-c statement_timeout={_STATEMENT_SECONDS}s -c lock_timeout=1s"
    options["options"] = f"{options.get('options', '')} {bounds}".strip()
    options["connect_timeout"] = _CONNECT_SECONDS
    connections["default"] = bounded


INSTALLATION = Group(
    name="Installation",
    checks=(
        installation.python,
        installation.packages,
        installation.disk,
        installation.private_files,
        installation.files,
        security.debug,
        security.secret_key,
        security.allowed_hosts,
        security.admin_token,
        security.tls,
        security.flower,
    ),
    why="The others of its checks were not made.",
    way_out="See whether the disk below CELERIAC_HOME answers.",
)
DATABASE = Group(
    name="Database",
    probe=database.reachable,
    checks=(
        database.durable,
        database.clock,
        database.migrated,
        processes.dispatcher,
        processes.workers,
        waiting.queues,
        waiting.platform_queues,
        waiting.job_types,
        waiting.longest,
        processes.versions,
        processes.beat,
        recurring.schedules,
    ),
    why="No job is accepted, run or read without it.",
    way_out="Start it (`manage.py up` brings its own), or correct DATABASE_URL; "
    "if only its tables are missing: python manage.py migrate",
    before=_bounded_connection,
    after=lambda: connection.close(),
)
REDIS = Group(
    name="Redis",
    probe=messaging.redis_server,
    checks=(messaging.persistence, messaging.clock),
    why="Rate limits, live updates and, where it is the broker, all messages need it.",
    way_out="See whether it is overloaded or stopped, or correct REDIS_URL.",
)
BROKER = Group(
    name="Broker",
    checks=(messaging.broker,),
    why="No message reaches a worker; jobs are accepted and wait.",
    way_out="See whether it is overloaded or stopped, or correct BROKER_URL.",
)
GROUPS = (INSTALLATION, DATABASE, REDIS, BROKER)


def examine(groups: Sequence[Group] = GROUPS, *, seconds: float = SECONDS) -> list[Finding]:
    """What all checks found, within `seconds`. Never raises."""
    deadline = time.monotonic() + seconds
    looks = [_Look(group) for group in groups]
    return [finding for look in looks for finding in look.findings_by(deadline)]


class _Look:
    """One group's checks in a thread of their own, which dies with the process if it hangs."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._found: list[Finding] = []
        self._thread = threading.Thread(target=self._run, name=group.name, daemon=True)
        self._thread.start()

    def findings_by(self, deadline: float) -> list[Finding]:
        self._thread.join(timeout=max(0.0, deadline - time.monotonic()))
        found = list(self._found)
        if self._thread.is_alive():
            found.append(_out_of_time(self._group, made=len(found)))
        return found

    def _run(self) -> None:
        group = self._group
        group.before()
        try:
            if group.probe:
                self._found.append(_guarded(group.probe, group))
                if self._found[0].level is Level.FAIL:
                    return
            for check in group.checks:
                self._found.append(_guarded(check, group))
        finally:
            group.after()


def _out_of_time(group: Group, *, made: int) -> Finding:
    return fail(
        group.name,
        f"did not answer in time, {made} of its checks were made",
        why=group.why,
        way_out=group.way_out,
    )


def _guarded(check: Check, group: Group) -> Finding:
    """A check that cannot reach what it looks at is a finding, not an error."""
    try:
        return check()
    except Exception as error:  # noqa: BLE001 (whatever a driver raises; the doctor goes on)
        sentence = str(error).strip().partition("\n")[0] or type(error).__name__
        name = group.name if check is group.probe else check.__name__.replace("_", " ")
        return fail(
            name.capitalize(),
            sentence,
            why=group.why,
            way_out=group.way_out,
        )
