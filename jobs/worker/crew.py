"""The threads of a worker that runs its jobs in threads: each with a slot and a gate of its own."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable

from django.conf import settings

from jobs.worker.child import LOOK_EVERY_SECONDS, Child
from jobs.worker.execution import Execution
from jobs.worker.identity import WorkerIdentity
from jobs.worker.slots import Slots
from jobs.worker.thread_gate import ThreadGate

logger = logging.getLogger(__name__)


class Crew:
    """What a child process is to a pool of processes, a thread is here."""

    def __init__(
        self, identity: WorkerIdentity, slots: Slots, stops_at: Callable[[], float]
    ) -> None:
        self._identity = identity
        self._slots = slots
        self._stops_at = stops_at
        self._own = threading.local()
        self._owners: list[threading.Thread | None] = [None] * slots.count
        self._choosing = threading.Lock()

    def watch(self) -> None:
        """Start the watchdog, one for all."""
        threading.Thread(target=watch, args=(self._slots,), name="watchdog", daemon=True).start()

    def child(self) -> Child:
        """That of the thread that calls; made when it calls for the first time."""
        child: Child | None = getattr(self._own, "child", None)
        if child is None:
            child = self._own.child = self._new_child()
        return child

    def _new_child(self) -> Child:
        slot = self._slots.slot(self._take_slot())
        gate = ThreadGate(slot, self._stops_at)
        return Child(execution=Execution(self._identity, slot, gate), gate=gate)

    def _take_slot(self) -> int:
        """A number that no living thread has."""
        with self._choosing:
            for index, owner in enumerate(self._owners):
                if owner is None or not owner.is_alive():
                    self._owners[index] = threading.current_thread()
                    return index
        raise RuntimeError(f"more than {self._slots.count} threads want to run jobs")


def watch(slots: Slots) -> None:
    """End this process when any job's code runs past its lease: another attempt may begin.

    With it end the other jobs of this process, for a single thread cannot be ended. When leases
    cannot be renewed, because the database is away or the process was stopped, theirs are about to
    end as well. Nobody is left to give them back: they are rescued when their leases are over.
    """
    pause = threading.Event()
    period = min(LOOK_EVERY_SECONDS, settings.LEASE_SECONDS / 20)
    while not pause.wait(period):
        if slots.overdue(time.monotonic()):
            logger.error("a lease could not be renewed in time; ending this process")
            os.kill(os.getpid(), signal.SIGKILL)
