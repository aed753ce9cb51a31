"""Everything is killed in turn while jobs come in, and nobody lends a hand."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psutil
from django.db import connection
from django.utils import timezone

from jobs.dispatcher.loop import LEADER_LEASE_SECONDS
from jobs.models import Attempt, AttemptOutcome, Job
from jobs.querysets import JobQuerySet
from jobs.states import Status
from tests.support.arena import SLOTS, Arena, leader_pid
from tests.support.ledger import Ledger
from tests.support.load import Load
from tests.support.programs import Program
from tests.support.waiting import wait_for
from tests.testapp.trace import traces

# Seconds of work, over and over: mostly short, some long enough to be hit for certain.
MIX = [0.0, 0.05, 0.0, 0.1, 0.0, 0.6, 0.0, 0.05, 0.0, 0.1, 0.0, 1.2]
LONG = 0.5
PARDON: dict[str, Any] = {"CRASH_LIMIT": "100"}  # the faults may hit one job as often as they like
RECOVERED = 15  # completions after a fault that show the system at work again


class Storm:
    """Two workers, two dispatchers, and the faults. `cut_short` counts the attempts that a fault
    can have ended; a fault waits until at least one attempt runs that it would hit."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.cut_short = 0
        names = ("dispatcher-1", "dispatcher-2")
        self.dispatchers = [arena.dispatcher(name, **PARDON) for name in names]
        self.workers = arena.workers("worker-1", "worker-2", **PARDON)

    def kill_a_child(self) -> None:
        """Hit if the attempt that it ran is recorded as lost."""
        attempt = wait_for(self._kill_at_work, seconds=60, what="a child runs a long job")
        self.cut_short += 1
        job_id, _, fence = attempt.partition(":")
        lost = Attempt.objects.filter(job=UUID(job_id), fence=fence, outcome=AttemptOutcome.LOST)
        wait_for(lost.exists, seconds=60, what=f"attempt {attempt} is taken for lost")

    def kill_a_worker(self) -> None:
        job = wait_for(self._long_jobs().first, seconds=60, what="a worker runs a long job")
        worker = self.workers[int(job.worker.partition("@")[0].removeprefix("worker-")) - 1]
        worker.kill()
        self.cut_short += SLOTS
        worker.start()

    def kill_the_leader(self) -> None:
        self._wait_until_busy()
        leader = self._leader()
        killed = leader.pid
        leader.kill()
        leader.start()
        self._wait_for_another_leader(killed)

    def freeze_the_leader_past_its_term(self) -> None:
        self._wait_until_busy()
        leader = self._leader()
        leader.send(signal.SIGSTOP)
        self._wait_for_another_leader(leader.pid)
        leader.send(signal.SIGCONT)

    def wipe_the_broker(self) -> None:
        self._wait_until_busy()
        with self.arena.redis() as client:
            client.flushall()

    def kill_the_broker(self) -> None:
        self._wait_until_busy()
        self.arena.valkey.restart(signal.SIGKILL)

    def crash_the_database(self) -> None:
        self._wait_until_busy()
        self.cut_short += SLOTS * len(self.workers)
        self.arena.postgres.restart(signal.SIGQUIT)
        connection.close()

    def wait_until_recovered(self, fault: str) -> None:
        """Until so many jobs that came in after the fault have completed."""
        since = timezone.now()

        def completed() -> bool:
            self._supervise()
            done = Job.objects.filter(created_at__gt=since, status=Status.COMPLETED)
            return done.count() >= RECOVERED

        wait_for(completed, seconds=60, what=f"work goes on after {fault}", every=0.1)

    def all_ended(self) -> bool:
        self._supervise()
        return not Job.objects.active().exists()

    def _supervise(self) -> None:
        for program in self.workers + self.dispatchers:
            program.keep_up()

    def _long_jobs(self) -> JobQuerySet:
        return Job.objects.filter(status=Status.PROCESSING, payload__seconds__gte=LONG)

    def _kill_at_work(self) -> str | None:
        """The attempt of a long job whose child was killed, if there was one to kill. The child
        is stopped first, so that the code which it is found to run cannot end before the kill."""
        attempt, pid = self._long_attempt() or ("", 0)
        if pid not in [child for worker in self.workers for child in worker.children()]:
            return None
        try:
            child = psutil.Process(pid)
            child.suspend()
            is_at_work = False
            try:
                is_at_work = self._stands_still(child) and self._runs(pid, attempt)
            finally:
                (child.kill if is_at_work else child.resume)()
        except psutil.NoSuchProcess:
            return None
        return attempt if is_at_work else None

    def _long_attempt(self) -> tuple[str, int] | None:
        """The last of those that were running a moment ago, with its process."""
        now = {f"{pk}:{fence}" for pk, fence in self._long_jobs().values_list("pk", "fence")}
        lines = reversed(list(traces(self.arena.trace)))
        return next(((one["attempt"], one["pid"]) for one in lines if one["attempt"] in now), None)

    def _stands_still(self, child: psutil.Process) -> bool:
        """Once the signal to stop has reached it; False if it is dead."""
        halted = (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
        wait_for(lambda: child.status() in halted, seconds=60, what="the child stops", every=0.001)
        return child.status() == psutil.STATUS_STOPPED

    def _runs(self, pid: int, attempt: str) -> bool:
        """Whether the last that this process left is of that attempt, and not its end."""
        lines = [line for line in traces(self.arena.trace) if line["pid"] == pid]
        return bool(lines) and lines[-1]["attempt"] == attempt and lines[-1]["mark"] != "end"

    def _wait_until_busy(self) -> None:
        wait_for(self.arena.running, seconds=60, what="a job runs")

    def _leader(self) -> Program:
        return wait_for(
            lambda: next((one for one in self.dispatchers if one.pid == leader_pid()), None),
            seconds=60, what="one of the two dispatchers leads",
        )  # fmt: skip

    def _wait_for_another_leader(self, pid: int) -> None:
        wait_for(
            lambda: leader_pid() not in (None, pid),
            seconds=LEADER_LEASE_SECONDS + 5, what="another leader",
        )  # fmt: skip


def test_g1_g3_g4_every_accepted_job_completes_once_whatever_is_killed(arena: Arena) -> None:
    storm = Storm(arena)
    faults: list[Callable[[], None]] = [
        *[storm.kill_a_child] * 3,
        *[storm.kill_a_worker] * 2,
        storm.kill_the_leader,
        storm.freeze_the_leader_past_its_term,
        *[storm.wipe_the_broker] * 2,
        storm.kill_the_broker,
        storm.crash_the_database,
    ]
    random.shuffle(faults)
    with Load(arena, seconds=MIX, every=0.07).running() as load:
        for fault in faults:
            fault()
            storm.wait_until_recovered(fault.__name__)
    wait_for(storm.all_ended, seconds=60, what="every job has ended", every=0.25)
    assert set(Job.objects.values_list("status", flat=True)) == {Status.COMPLETED}
    Ledger(accepted=load.accepted, trace=arena.trace, faults=storm.cut_short).check()
