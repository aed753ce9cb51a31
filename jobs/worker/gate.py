"""When a child's signals may interrupt: while job code runs, and at no other time.

Celery tells a child of a soft time limit, and the pool of its end, by a signal whose handler
raises an exception wherever the child happens to be, in the middle of writing an outcome too.
The gate raises only inside job code; a signal outside of it is remembered, or has lost its point.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from billiard.common import TERM_SIGNAL

from jobs.control import ShuttingDown, Terminated, TimedOut
from jobs.worker.slots import Slot

_CLOCK_SLACK = 0.5  # the main process measures the limit from a slightly different moment


class Gate:
    """One a child. `job_code()` opens it."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._open = False
        self._alarm_set = False
        self._times_out_at = float("inf")
        self.stopping = False

    def install(self) -> None:
        """Take the signals over from billiard, which sets its handlers after a child's start-up
        hooks have run; hence called before each job."""
        if signal.getsignal(signal.SIGUSR1) != self._on_soft_limit:
            signal.signal(signal.SIGUSR1, self._on_soft_limit)
            signal.signal(signal.SIGALRM, self._on_soft_limit)
            signal.signal(TERM_SIGNAL, self._on_terminate)

    @contextmanager
    def job_code(self, *, times_out_at: float) -> Iterator[None]:
        """Inside, signals raise. `times_out_at` is of the monotonic clock."""
        if self.stopping:
            raise ShuttingDown
        self._times_out_at = times_out_at
        self._open = True
        try:
            yield
        finally:
            self._open = False
            if self._alarm_set:
                signal.setitimer(signal.ITIMER_REAL, 0)
                self._alarm_set = False

    def ask(self) -> None:
        """Job code asks whether it is to end. Signals have told it already."""

    @property
    def _timed_out(self) -> bool:
        return time.monotonic() >= self._times_out_at - _CLOCK_SLACK

    def _on_soft_limit(self, signum: int, frame: FrameType | None) -> None:
        if not self._open:
            return
        if self._timed_out:
            raise TimedOut
        # Celery counts from when the message was taken, and says it once: the claim took a while.
        self._alarm_set = True
        signal.setitimer(signal.ITIMER_REAL, self._times_out_at - time.monotonic())

    def _on_terminate(self, signum: int, frame: FrameType | None) -> None:
        if self._slot.termination_requested:
            if self._open:
                raise Terminated
            return
        if self._open and self._timed_out:
            raise TimedOut  # the hard time limit, not the end of the pool
        self.stopping = True
        if self._open:
            raise ShuttingDown
