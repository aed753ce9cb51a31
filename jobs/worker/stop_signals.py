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

_AGAIN_SECONDS = 0.02
SOFT_STOPS = [signal.SIGQUIT, *([signal.SIGTERM] if REMAP_SIGTERM == "SIGQUIT" else [])]


class StopSignals:
    """Made in a worker's main process, before it forks."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._announce: Callable[[], None] = lambda: None
        self._hasten: Callable[[], None] = lambda: None
        self._must_wait: Callable[[], bool] = lambda: False
        self._handlers: dict[int, Any] = {}
        self._in_loop = False
        self._heard: int | None = None
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def take_over(
        self,
        *,
        announce: Callable[[], None],
        hasten: Callable[[], None],
        must_wait: Callable[[], bool],
    ) -> None:
        """From Celery, whose handlers are in place by now. When such a signal comes, `announce` is
        called at once, inside the handler: hence no locks in it. So is `hasten`, when another one
        comes before the first is obeyed. That is put off while it `must_wait`."""
        self._announce, self._hasten, self._must_wait = announce, hasten, must_wait
        for number in SOFT_STOPS:
            self._handlers[number] = signal.getsignal(number)
            signal.signal(number, self._hear)

    @contextmanager
    def between_steps(self, hub: Any) -> Iterator[None]:
        """While the loop of this hub runs, a signal wakes it and is obeyed as a step of its own.
        At any other time it is obeyed in its handler."""
        hub.add_reader(self._reader, self._obey_when_possible, hub)
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
        elif self._heard is None:
            self._heard = number
            os.write(self._writer, b"\0")
        else:
            self._hasten()

    def _obey_when_possible(self, hub: Any) -> None:
        with suppress(BlockingIOError):
            os.read(self._reader, 1)
        if self._heard is None:
            return
        if self._must_wait():
            hub.call_later(_AGAIN_SECONDS, self._obey_when_possible, hub)
        else:
            self._obey()

    def _obey(self) -> None:
        if self._heard is None:
            return
        try:  # Celery's handler sets its own for the signals that come after this one
            self._handlers[self._heard](self._heard, None)
        finally:
            self._heard = None
