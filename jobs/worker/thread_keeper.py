"""The keeper of a worker whose jobs run in threads of the keeper's own process.

None of them can be ended alone, and the process is never ended for the sake of one cancel. So what
is asked of a job is left in its slot, for its code to find where it asks. The process ends when a
lease could not be renewed, and when the time of a soft stop is over.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Iterable

from jobs.message import FencedJob
from jobs.worker.deaths import Death
from jobs.worker.identity import WorkerIdentity
from jobs.worker.keeper import KILL_AFTER_STOP_SECONDS, Keeper
from jobs.worker.slots import Running, Slots

logger = logging.getLogger(__name__)


class ThreadKeeper(Keeper):
    def __init__(
        self,
        identity: WorkerIdentity,
        slots: Slots,
        report: Callable[[], None],
        *,
        finish: Callable[[], None],
        unfinished: Callable[[], Iterable[FencedJob]],
        put_back_tasks: Callable[[], None],
    ) -> None:
        """`finish` lets the worker take nothing more and end after its jobs."""
        super().__init__(
            identity, slots, report, unfinished=unfinished, put_back_tasks=put_back_tasks
        )
        self._finish = finish

    def _is_alive(self, run: Running) -> bool:
        """A thread ends its run, whatever its code does."""
        return True

    def _end_lost(self, run: Running) -> None:
        """Its deadline stays: until then its code may find out and leave. Whoever took the job by
        force has left it the lease until the same moment."""
        if self._slots.note_lost(run):
            text = "job %s: fence %s is no longer ours; its code is told where it asks"
            logger.warning(text, *run.job, extra={"job_id": run.job.id})

    def _signal(self, running: Running, number: int) -> None:
        self._slots.ask_to_terminate(running)

    def _kill(self, running: Running, death: Death) -> None:
        if death is Death.EXPIRED:  # the watchdog would have done it, had it been let run
            os.kill(os.getpid(), signal.SIGKILL)
        else:
            self._slots.ask_to_terminate(running)

    def _end_what_outlasts_the_stop(self) -> None:
        if not self.stopping:
            return
        self._guarded(self._finish)
        if time.monotonic() > self._stops_at + KILL_AFTER_STOP_SECONDS:
            self._leaves = True
            self._stopping.set()

    def _give_back_the_rest(self) -> None:
        """Their threads go on, for the few moments until the process ends; what they write then is
        refused. It includes what was taken and is not claimed yet."""
        running = [run.job for run in self._slots.running()]
        for job in {*running, *self._unfinished()}:
            self._deaths.note(job, Death.STOPPED)
