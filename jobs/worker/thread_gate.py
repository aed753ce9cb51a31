"""When a job in a thread is told to end: where its code asks, and at no other time.

No signal reaches a thread, and no exception can be raised into one. `JobContext` asks whenever job
code uses it to sleep, to look for a cancel, to tell its progress or to hand over a file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jobs.control import LeaseLost, ShuttingDown, Terminated, TimedOut
from jobs.worker.gate import Gate
from jobs.worker.slots import Slot


class ThreadGate(Gate):
    """One a thread. `stopping` stays false: a thread never ends its process."""

    def __init__(self, slot: Slot, stops_at: Callable[[], float]) -> None:
        """`stops_at`: when the time of running jobs is over because the worker stops; of the
        monotonic clock."""
        super().__init__(slot)
        self._stops_at = stops_at

    def install(self) -> None:
        """Nothing: only the main thread may have signal handlers, and they are Celery's."""

    @contextmanager
    def job_code(self, *, times_out_at: float) -> Iterator[None]:
        if self._is_stopped:
            raise ShuttingDown
        self._times_out_at = times_out_at
        yield

    def ask(self) -> None:
        if self._slot.is_lost:
            raise LeaseLost
        if self._slot.termination_requested:
            raise Terminated
        if time.monotonic() >= self._times_out_at:
            raise TimedOut
        if self._is_stopped:
            raise ShuttingDown

    @property
    def _is_stopped(self) -> bool:
        return time.monotonic() >= self._stops_at()
