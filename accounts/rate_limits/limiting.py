"""Counts calls in Redis, for all processes; without Redis each process counts for itself.

Nobody is refused because Redis is away. A call waits for it at most TIMEOUT_SECONDS; after a
failure nobody asks for BREAK_SECONDS, and then one call does.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache

import redis
from django.conf import settings

from accounts.rate_limits.standing import Standing
from accounts.rate_limits.storages import InMemory, InRedis, Storage
from accounts.rate_limits.windows import Window

logger = logging.getLogger(__name__)

BREAK_SECONDS = 2.0


class Limiter:
    """Of one process, over any number of threads. It keeps in mind what it counts in Redis, so
    that without Redis nobody begins anew."""

    def __init__(self, shared: Storage, own: InMemory) -> None:
        self._shared, self._own = shared, own
        self._lock = threading.Lock()
        self._is_away = False
        self._ask_again_at = 0.0

    def hit(self, windows: Sequence[Window]) -> Standing:
        """Count one in each, up to the first that is full. Of it, or of the one with least left,
        the standing."""
        found = []
        for window in windows:
            found.append(self._hit_in(window))
            if not found[-1].allowed:
                return found[-1]
        return _nearest(found)

    def look(self, windows: Sequence[Window]) -> Standing:
        """How the one with least left stands; nothing is counted."""
        return _nearest([self._look_at(window) for window in windows])

    def _hit_in(self, window: Window) -> Standing:
        found = self._ask(lambda: self._shared.hit(window))
        if found is None:
            return self._own.hit(window)
        if found.allowed:
            self._own.note(window)
        return found

    def _look_at(self, window: Window) -> Standing:
        return self._ask(lambda: self._shared.look(window)) or self._own.look(window)

    def _ask(self, question: Callable[[], Standing]) -> Standing | None:
        """What Redis answers; None while it is away."""
        if not self._may_ask():
            return None
        try:
            answer = question()
        except (redis.RedisError, OSError) as error:
            self._note_absence(error)
            return None
        self._note_presence()
        return answer

    def _may_ask(self) -> bool:
        if not self._is_away:
            return True
        with self._lock:
            now = time.monotonic()
            if now < self._ask_again_at:
                return False
            self._ask_again_at = now + BREAK_SECONDS  # the others need not wait for the answer
            return True

    def _note_absence(self, error: Exception) -> None:
        with self._lock:
            first, self._is_away = not self._is_away, True
            self._ask_again_at = time.monotonic() + BREAK_SECONDS
        if first:
            logger.warning(
                "Redis is away (%s): rate limits are counted by each process alone",
                type(error).__name__,
            )

    def _note_presence(self) -> None:
        if self._is_away:
            with self._lock:
                back, self._is_away = self._is_away, False
            if back:
                logger.info("Redis is back: rate limits are counted over all processes again")


def limiter() -> Limiter:
    """This process's."""
    return _limiter_at(settings.REDIS_URL)


@lru_cache
def _limiter_at(url: str) -> Limiter:
    return Limiter(InRedis(url), InMemory())


def _nearest(found: Sequence[Standing]) -> Standing:
    """To its end, and of equals the one that is longest about it."""
    return min(found, key=lambda one: (one.remaining, -one.reset_seconds))
