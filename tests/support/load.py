"""A client that hands in jobs all the while, and remembers which were accepted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection

from tests.support.arena import Arena

_PRIORITIES: tuple[int | str, ...] = ("low", "normal", 60, "high")


class Load:
    """Every so many seconds one job that works as long as the next number of `seconds` says."""

    def __init__(self, arena: Arena, *, seconds: list[float], every: float) -> None:
        self.accepted: list[UUID] = []
        self.unknown = 0  # no answer: neither lost nor accepted
        self._arena = arena
        self._seconds, self._priorities = cycle(seconds), cycle(_PRIORITIES)
        self._every = every
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load")

    @contextmanager
    def running(self) -> Iterator[Load]:
        self._thread.start()
        try:
            yield self
        finally:
            self._enough.set()
            self._thread.join()

    def _run(self) -> None:
        while not self._enough.wait(self._every):
            try:
                self._hand_in(next(self._seconds), next(self._priorities))
            except (OperationalError, InterfaceError):
                self.unknown += 1
                connection.close()
        connection.close()

    def _hand_in(self, seconds: float, priority: int | str) -> None:
        job = self._arena.enqueue_at(priority, "testing.work", seconds=seconds)
        self.accepted.append(job.pk)
