"""A whole Celeriac of real processes on servers of its own, for tests that break it."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import redis
from django.conf import settings
from django.db import connection
from django_celery_beat.models import PeriodicTask

from accounts.models import Tenant
from config.bootstrap import ROOT
from jobs import registry
from jobs.dispatcher.loop import DUTY
from jobs.enqueue import JobOptions, enqueue
from jobs.models import Attempt, Dependency, Heartbeat, Job, Leadership, Queue, Worker
from jobs.states import Status
from scheduling.models import Schedule
from scheduling.scheduler import DUTY as SCHEDULER
from tests.support.ledger import Ledger
from tests.support.pointing import django_pointed_at
from tests.support.programs import Program
from tests.support.servers import private_servers
from tests.support.waiting import wait_for
from tests.testapp.trace import TRACE, hold_of
from webhooks.models import Delivery, DeliveryAttempt, Endpoint, Event, SigningSecret

FIRST = "CELERIAC_FIRST_ARENA"  # in the environment: where the first one of a run is made
LEASE_SECONDS = 4.0
LONGER = "30"  # LEASE_SECONDS of programs whose leases are not meant to run out
CRASH_LIMIT = 3
AT_WORK = ["dispatcher", "worker"]
SLOTS = 2
_MANAGE = [sys.executable, "manage.py"]
_CELERY = [sys.executable, "-m", "celery", "-A", "config", "worker"]
_BEAT = [sys.executable, "-m", "celery", "-A", "config", "beat", "--loglevel=INFO"]
_ALONE = ["--without-mingle", "--without-gossip"]  # what takes a worker a second to start
_TAIL = 60  # lines of each log shown with a failure
# Beats write over each other's sign of life: here each one stays.
_KEEP_SIGNS = """
    CREATE TABLE IF NOT EXISTS signs_of_life (duty text, holder text);
    CREATE OR REPLACE FUNCTION keep_sign() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO signs_of_life VALUES (NEW.duty, NEW.holder);
        RETURN NULL;
    END $$;
    CREATE OR REPLACE TRIGGER signs_of_life AFTER INSERT OR UPDATE ON jobs_heartbeat
        FOR EACH ROW EXECUTE FUNCTION keep_sign();
    TRUNCATE signs_of_life;
"""


class Arena:
    """Servers, a migrated database with a journal of its own, and the programs a test starts."""

    def __init__(self, home: Path, like: Path | None = None) -> None:
        """`like` is the home of one whose migrated database is to be copied."""
        self.home = home
        self.trace = home / "trace.jsonl"
        self._logs = home / "logs"
        self._logs.mkdir(exist_ok=True)
        self._is_migrated = like is not None
        self.postgres, self.valkey = private_servers(home, self._logs, like=like)
        self._programs: list[Program] = []
        self._shown: dict[Path, int] = {}

    # --- servers ---------------------------------------------------------------------------

    @classmethod
    def at(cls, home: Path) -> Arena:
        """One with a copy of the database that the first one of this run has migrated: that takes
        longer than many a test."""
        first = Path(os.environ[FIRST])
        first.mkdir(mode=0o711, exist_ok=True)
        with (first / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (first / "made").exists():
                with cls(first).open():
                    pass
                (first / "made").touch()
        return cls(home, like=first)

    @contextmanager
    def open(self) -> Iterator[Arena]:
        """With both servers up and the database migrated."""
        try:
            self.postgres.start()
            self.valkey.start()
            if not self._is_migrated:
                self._migrate()
            yield self
        finally:
            self.clear_programs()
            self.postgres.stop(signal.SIGINT)
            self.valkey.stop(signal.SIGTERM)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Inside, the test process works on this database. It begins with nothing in it: no
        program, no job, no schedule, no message."""
        with django_pointed_at(self.postgres.url):
            self._clear()
            try:
                yield
            finally:
                self.clear_programs()

    @contextmanager
    def entered_at_work(self) -> Iterator[None]:
        """The same with a dispatcher and a worker at work, which also go on from one test to the
        next: it begins with no unfinished job. No lease is meant to run out."""
        with django_pointed_at(self.postgres.url):
            if [program.name for program in self._programs if program.is_alive] != AT_WORK or (
                Job.objects.active().exists()
            ):
                self._clear()
                self.dispatcher(AT_WORK[0], LEASE_SECONDS=LONGER)
                self.worker(AT_WORK[1], LEASE_SECONDS=LONGER)
            yield

    def _migrate(self) -> None:
        subprocess.run(
            [*_MANAGE, "migrate", "--no-input", "--verbosity=0"],
            cwd=ROOT, env=self.environment(), check=True, timeout=120,
        )  # fmt: skip

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.valkey.url, socket_timeout=5, socket_connect_timeout=5)

    # --- programs --------------------------------------------------------------------------

    def environment(self, **more: str) -> dict[str, str]:
        """Of a program of this arena; `more` are settings by name."""
        return {
            **os.environ,
            "CELERIAC_HOME": str(self.home),
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.valkey.url,
            "BROKER_URL": self.valkey.url,
            "SECRET_KEY": settings.SECRET_KEY,
            "CELERIAC_APPS": "tests.testapp",
            "LEASE_SECONDS": str(LEASE_SECONDS),
            "CANCEL_GRACE_SECONDS": "1",
            "CRASH_LIMIT": str(CRASH_LIMIT),
            TRACE: str(self.trace),
            **more,
        }

    def worker(self, name: str = "worker", *, slots: int = SLOTS, **more: str) -> Program:
        """A worker, running and reported."""
        return self.workers(name, slots=slots, **more)[0]

    def workers(self, *names: str, slots: int = SLOTS, **more: str) -> list[Program]:
        started = [self.start(name, self._worker_argv(name, slots), more) for name in names]
        for name, program in zip(names, started, strict=True):
            self.wait_until_working(name, program)
        return started

    def webhook_worker(
        self, name: str = "webhooks", *, slots: int = 4, queue: str = "webhooks", **more: str
    ) -> Program:
        """A worker of one queue that runs its jobs in threads, running and reported."""
        argv = [
            *self._worker_argv(name, slots),
            f"--queues={queue}",
            "--pool=threads",
            "--task-events",
        ]
        started = self.start(name, argv, more)
        self.wait_until_reported(name, started)
        return started

    def _worker_argv(self, name: str, slots: int) -> list[str]:
        return [
            *_CELERY,
            f"--hostname={name}@arena",
            f"--concurrency={slots}",
            "--loglevel=INFO",
            *_ALONE,
        ]

    def wait_until_working(self, name: str, program: Program) -> None:
        """Until this process reported itself and has its children."""
        self.wait_until_reported(name, program)
        wait_for(lambda: program.children(), seconds=90, what=f"{name} has its children")

    def wait_until_reported(self, name: str, program: Program) -> None:
        row = Worker.objects.filter(name=f"{name}@arena", queues__len__gt=0, pid=program.pid)
        wait_for(row.exists, seconds=90, what=f"{name} reports itself")

    def dispatcher(self, name: str = "dispatcher", **more: str) -> Program:
        return self.start(name, [*_MANAGE, "dispatch"], more)

    def beats(self, *names: str, **more: str) -> list[Program]:
        """Beats that look for what is due."""
        started = [self.start(name, _BEAT, more) for name in names]
        wait_until_beating(*started)
        return started

    def start(
        self, name: str, argv: Sequence[str], more: Mapping[str, str] | None = None
    ) -> Program:
        """Any program, with this arena's environment."""
        program = Program(name, argv, self.environment(**(more or {})), self._logs).start()
        self._programs.append(program)
        return program

    def clear_programs(self) -> None:
        while self._programs:
            self._programs.pop().clear_away()

    def _clear(self) -> None:
        self.clear_programs()
        self.postgres.ensure()
        self.valkey.ensure()
        with self.redis() as client:
            client.flushall()
        models = (
            Attempt, Delivery, DeliveryAttempt, Dependency, Endpoint, Event, Heartbeat, Job,
            Leadership, PeriodicTask, Schedule, SigningSecret, Worker,
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(
                f"TRUNCATE {', '.join(model._meta.db_table for model in models)} CASCADE"
            )
            cursor.execute(_KEEP_SIGNS)
        Tenant.objects.update(listening=None)
        Queue.objects.exclude(pk__in=registry.queues()).delete()
        Ledger.prepare()
        self.trace.unlink(missing_ok=True)
        self.new_log_lines()

    def new_log_lines(self) -> str:
        """What the programs wrote since this was asked last: the end of each log."""
        parts = []
        for log in sorted(self._logs.iterdir()):
            text = log.read_text(errors="replace")
            new, self._shown[log] = text[self._shown.get(log, 0) :], len(text)
            if lines := new.splitlines()[-_TAIL:]:
                parts.append("\n".join([f"--- {log.name}", *lines]))
        return "\n".join(parts)

    # --- jobs ------------------------------------------------------------------------------

    @property
    def tenant(self) -> Tenant:
        return Tenant.objects.get(slug="default")

    def enqueue(self, type_name: str, /, **payload: Any) -> Job:
        return enqueue(self.tenant, type_name, payload).job

    def enqueue_at(self, priority: int | str, type_name: str, /, **payload: Any) -> Job:
        return enqueue(self.tenant, type_name, payload, JobOptions(priority=priority)).job

    def enqueue_in(self, queue: str, type_name: str, /, **payload: Any) -> Job:
        return enqueue(self.tenant, type_name, payload, JobOptions(queue=queue)).job

    def wait_for_status(self, job_id: UUID, *wanted: Status, seconds: float) -> Job:
        """The job, once it has one of these statuses."""

        job = Job.objects.filter(pk=job_id, status__in=wanted)
        names = " or ".join(status.value for status in wanted)
        return wait_for(job.first, seconds=seconds, what=f"job {job_id} is {names}")

    def worker_pid(self, name: str) -> int:
        """As the worker itself has reported it."""
        return Worker.objects.get(name=f"{name}@arena").pid

    def started(self) -> set[UUID]:
        """The jobs that were ever started."""
        return set(Job.objects.filter(attempt__gt=0).values_list("pk", flat=True))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Inside, a job of type `testing.held` that was started does not end."""
        hold = hold_of(self.trace)
        hold.touch()
        try:
            yield
        finally:
            hold.unlink()

    def running(self) -> int:
        """How many attempts run at this moment."""
        return Job.objects.filter(status=Status.PROCESSING).count()


def leader_pid() -> int | None:
    """The process id of the dispatcher that leads, or led last."""
    holder = Leadership.objects.filter(pk=DUTY).values_list("holder", flat=True).first()
    return int(holder.rpartition(":")[2]) if holder else None


def wait_until_beating(*beats: Program) -> None:
    """Until each has looked for the first time, in whichever order they do."""
    wanted = {str(beat.pid) for beat in beats}

    def all_seen() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT holder FROM signs_of_life WHERE duty = %s", [SCHEDULER])
            seen = {holder.rpartition(":")[2] for (holder,) in cursor.fetchall()}
        return wanted <= seen

    wait_for(all_seen, seconds=120, what="each beat shows life", every=0.02)
