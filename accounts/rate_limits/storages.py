"""Where hits are kept: in Redis for all processes, in memory for when there is no Redis."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol

from limits.storage import RedisStorage
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError
from redis.retry import Retry

from accounts.rate_limits.standing import Standing, standing
from accounts.rate_limits.windows import Window

PREFIX = "celeriac:rate"
TIMEOUT_SECONDS = 0.1
_SWEEP_SECONDS = 60


class Storage(Protocol):
    """Hits of the last stretch of time, exactly: a sliding window."""

    def hit(self, window: Window) -> Standing:
        """Count one, unless the window is full; nobody comes between the look and the count."""

    def look(self, window: Window) -> Standing:
        """Count nothing; `allowed` says whether one more would be."""


class InRedis:
    """The library's scripts, but count and figures in one round trip; the library takes two."""

    def __init__(self, url: str, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._url, self._timeout = url, timeout

    def hit(self, window: Window) -> Standing:
        now, rate = time.time(), window.rate
        key = self._scripts.prefixed_key(window.key)
        taken, found = self._run(
            (self._scripts.lua_acquire_moving_window, key, now, rate.starts, rate.seconds, 1),
            (self._scripts.lua_moving_window, key, now - rate.seconds, rate.starts),
        )
        return _standing(window, found, now, allowed=bool(taken))

    def look(self, window: Window) -> Standing:
        now, rate = time.time(), window.rate
        key = self._scripts.prefixed_key(window.key)
        (found,) = self._run(
            (self._scripts.lua_moving_window, key, now - rate.seconds, rate.starts)
        )
        return _standing(window, found, now)

    @cached_property
    def _scripts(self) -> RedisStorage:
        return RedisStorage(
            self._url,
            key_prefix=PREFIX,
            socket_timeout=self._timeout,
            socket_connect_timeout=self._timeout,
            retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]  # handed on to redis as it is
        )

    def _run(self, *calls: tuple[Any, ...]) -> list[Any]:
        """By the scripts' digests; a Redis that lost them (a restart) is given them again."""
        try:
            return self._send(calls)
        except NoScriptError:
            for script, *_ in reversed(calls):  # who knows the first, which counts, knows all
                self._scripts.storage.script_load(script.script)
            return self._send(calls)

    def _send(self, calls: tuple[tuple[Any, ...], ...]) -> list[Any]:
        pipeline = self._scripts.storage.pipeline(transaction=False)
        for script, key, *arguments in calls:
            pipeline.evalsha(script.sha, 1, key, *arguments)
        answers: list[Any] = pipeline.execute()
        return answers


class InMemory:
    """Of this process alone. The library's own has a thread that wakes a hundred times a second,
    too much for a copy that is kept beside Redis all the time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._hits: dict[str, tuple[float, deque[float]]] = {}  # with the length of the window
        self._sweep_at = clock() + _SWEEP_SECONDS

    def hit(self, window: Window) -> Standing:
        with self._lock:
            now, hits = self._current(window)
            allowed = len(hits) < window.rate.starts
            if allowed:
                hits.append(now)
            return _standing(window, _figures(hits), now, allowed=allowed)

    def look(self, window: Window) -> Standing:
        with self._lock:
            now, hits = self._current(window)
            return _standing(window, _figures(hits), now)

    def note(self, window: Window) -> None:
        """Keep in mind a hit that was counted elsewhere."""
        with self._lock:
            now, hits = self._current(window)
            hits.append(now)

    def _current(self, window: Window) -> tuple[float, deque[float]]:
        now = self._clock()
        if now >= self._sweep_at:
            self._sweep(now)
        _, hits = self._hits.setdefault(window.key, (window.rate.seconds, deque()))
        while hits and hits[0] < now - window.rate.seconds:
            hits.popleft()
        return now, hits

    def _sweep(self, now: float) -> None:
        self._sweep_at = now + _SWEEP_SECONDS
        for key, (seconds, hits) in list(self._hits.items()):
            if not hits or hits[-1] < now - seconds:
                del self._hits[key]


def _figures(hits: deque[float]) -> tuple[float, int] | None:
    return (hits[0], len(hits)) if hits else None


def _standing(window: Window, found: Any, now: float, *, allowed: bool | None = None) -> Standing:
    """`found`: the oldest hit and how many there are; nothing where there is none."""
    oldest, used = (float(found[0]), int(found[1])) if found else (now, 0)
    may = used < window.rate.starts if allowed is None else allowed
    return standing(window.rate, used=used, oldest=oldest, now=now, allowed=may)
