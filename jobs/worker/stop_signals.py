"""The signals that end a worker of processes, heard between two steps of its loop.

Celery ends the pool inside a signal's handler, wherever the main thread is at that moment. Under
load that is often the middle of a message to a child: the message is torn, the child waits for the
rest of it without end, and the main waits for the child. (A worker of threads has handlers of its
own, in `jobs.worker.threaded`.)
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from billiard.common import REMAP_SIGTERM

Handler = Callable[[int, FrameType | None], object]

SOFT_STOPS = [signal.SIGQUIT, *([signal.SIGTERM] if REMAP_SIGTERM == "SIGQUIT" else [])]


class StopSignals:
    """Made in a worker's main process, before it forks."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._announce: Callable[[], None] = lambda: None
        self._handlers: dict[int, Any] = {}
        self._in_loop = False
        self._heard: int | None = None
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def take_over(self, announce: Callable[[], None]) -> None:
        """From Celery, whose handlers are in place by now. `announce` is called at once when such a
        signal comes, inside the handler: hence no locks in it."""
        self._announce = announce
        for number in SOFT_STOPS:
            self._handlers[number] = signal.getsignal(number)
            signal.signal(number, self._hear)

    @contextmanager
    def between_steps(self, hub: Any) -> Iterator[None]:
        """While the loop of this hub runs, a signal wakes it and is obeyed as a step of its own.
        At any other time it is obeyed in its handler: then nothing is written to children."""
        hub.add_reader(self._reader, self._obey)
        self._in_loop = True
        try:
            yield
        finally:
            self._in_loop = False
            self._obey()  # what came in during the last step

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._pid:  # a child that has not yet set handlers of its own
            self._handlers[number](number, frame)
            return
        self._announce()
        if not self._in_loop:
            self._handlers[number](number, frame)
        elif self._heard is None:  # a second one in the same step says nothing more
            self._heard = number
            os.write(self._writer, b"\0")

    def _obey(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._reader, 1)
        if self._heard is None:
            return
        try:  # Celery's handler sets its own for the signals that come after this one
            self._handlers[self._heard](self._heard, None)
        finally:
            self._heard = None
