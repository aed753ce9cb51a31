"""The health of an installation, as one caller may see it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from config.vitals import servers
from config.vitals.alerts import Alert, alerts_of
from config.vitals.probe import Probe
from jobs.database import is_read_only
from jobs.dispatcher import sign_of_life
from jobs.models import Heartbeat, Queue
from jobs.stats import Depth, Whose, WorkerFigures, waiting_of, workers_of
from jobs.stats.count import Count
from jobs.stats.unknown import unknown_types_of
from jobs.stats.workers import consumers
from scheduling.scheduler import DUTY

BEAT_PATIENCE_SECONDS = 120.0
_STATEMENT_TIMEOUT = "2s"


class Verdict(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


class Condition(StrEnum):
    OK = "ok"
    DOWN = "down"
    UNKNOWN = "unknown"  # without the database it cannot be told


@dataclass(frozen=True, kw_only=True)
class Component:
    """`seconds` is what helps to judge it: how long its answer took, or how long it is silent."""

    condition: Condition
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class QueueHealth:
    name: str
    waiting: Count
    workers: int
    unknown_types: Sequence[str] = ()  # of waiting jobs, that no live worker of it knows

    @property
    def is_unattended(self) -> bool:
        """Whether some of its jobs wait for a worker that is not there."""
        return (self.waiting.number > 0 and not self.workers) or bool(self.unknown_types)


UNKNOWN = Component(condition=Condition.UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class Health:
    database: Component
    redis: Component = UNKNOWN
    broker: Component = UNKNOWN
    dispatcher: Component = UNKNOWN
    scheduler: Component = UNKNOWN
    workers: Sequence[WorkerFigures] = ()
    queues: Sequence[QueueHealth] = ()
    alerts: Sequence[Alert] = ()

    @property
    def verdict(self) -> Verdict:
        if self.database.condition == Condition.DOWN:
            return Verdict.UNHEALTHY
        parts = (self.redis, self.broker, self.dispatcher, self.scheduler)
        if any(part.condition == Condition.DOWN for part in parts):
            return Verdict.DEGRADED
        held_up = any(queue.is_unattended for queue in self.queues)
        held_up = held_up or any(alert.degrades for alert in self.alerts)
        return Verdict.DEGRADED if held_up else Verdict.HEALTHY


def health_of(whose: Whose) -> Health:
    """Raises the database's own errors while it is away: then there is `without_database`.

    Nothing is waited for long: statements end after two seconds, looks elsewhere after less.
    """
    with transaction.atomic():
        database = _database()
        dispatcher, scheduler = _dispatcher(), _scheduler()
        workers, queues = workers_of(whose, with_ours=False), _queues(whose)
        alerts = alerts_of(whose)
    return Health(
        database=database,
        redis=_server(servers.redis),
        broker=_server(servers.broker),
        dispatcher=dispatcher,
        scheduler=scheduler,
        workers=workers,
        queues=queues,
        alerts=alerts,
    )


def without_database(*, to_stranger: bool) -> Health:
    """Whose token could not be looked up is told nothing else."""
    down = Component(condition=Condition.DOWN)
    if to_stranger:
        return Health(database=down)
    return Health(database=down, redis=_server(servers.redis), broker=_server(servers.broker))


def _database() -> Component:
    began_at = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [_STATEMENT_TIMEOUT])
    condition = Condition.DOWN if is_read_only() else Condition.OK  # it would accept no job
    return Component(condition=condition, seconds=time.monotonic() - began_at)


def _server(probe: Probe) -> Component:
    sight = probe.sight()
    return Component(
        condition=Condition.OK if sight.answers else Condition.DOWN, seconds=sight.seconds
    )


def _dispatcher() -> Component:
    return _lately(sign_of_life.leaderless_seconds(), sign_of_life.PATIENCE_SECONDS)


def _scheduler() -> Component:
    beat = Heartbeat.objects.filter(duty=DUTY).annotate(now=Now()).first()
    silent = max(0.0, (beat.now - beat.seen_at).total_seconds()) if beat else None
    return _lately(silent, BEAT_PATIENCE_SECONDS)


def _lately(silent: float | None, patience: float) -> Component:
    shows_life = silent is not None and silent <= patience
    return Component(condition=Condition.OK if shows_life else Condition.DOWN, seconds=silent)


def _queues(whose: Whose) -> list[QueueHealth]:
    depths, workers, unknown = waiting_of(whose), consumers(), unknown_types_of(whose)
    return [
        QueueHealth(
            name=name,
            waiting=_waiting(name, depths),
            workers=workers[name],
            unknown_types=sorted(unknown.get(name, ())),
        )
        for name in _names()
    ]


def _names() -> QuerySet[Queue, str]:
    """The platform's own are the doctor's matter."""
    rows = Queue.objects.filter(internal=False).order_by("name")
    return rows.values_list("name", flat=True)


def _waiting(name: str, depths: Sequence[Depth]) -> Count:
    return sum((depth.waiting for depth in depths if depth.queue == name), start=Count())
