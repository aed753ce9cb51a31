"""How much of a worker endpoints may take that fail.

Each request to one that fails is likely to last until its time is out. So all of those together
hold no more than a quarter of the slots; the rest is for endpoints that answer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random, SystemRandom

from django.conf import settings

from jobs import RateLimited
from webhooks.models import Endpoint
from webhooks.turns import Turns


class Share:
    """`most` requests at once."""

    def __init__(
        self,
        most: int,
        *,
        likely_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
        random: Random | None = None,
    ) -> None:
        self._free = threading.BoundedSemaphore(most)
        self._turns = Turns(most, likely_seconds, random or SystemRandom())
        self._lock = threading.Lock()
        self._monotonic = monotonic

    @contextmanager
    def of(self, endpoint: Endpoint) -> Iterator[None]:
        """Raises RateLimited where the endpoint fails and there is no room for such a one now:
        nothing of it is sent until its turn."""
        if not endpoint.is_failing:
            yield
            return
        if not self._free.acquire(blocking=False):
            raise RateLimited(self._until_its_turn())
        began = self._monotonic()
        try:
            yield
        finally:
            self._free.release()
            with self._lock:
                self._turns.took(self._monotonic() - began)

    def _until_its_turn(self) -> float:
        with self._lock:
            return self._turns.next(self._monotonic())


failing = Share(
    max(1, settings.WEBHOOK_CONCURRENCY // 4), likely_seconds=settings.WEBHOOK_TIMEOUT_SECONDS
)
