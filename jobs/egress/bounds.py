"""How long a call may still take, and how much may still come."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

TICK_SECONDS = 0.2


class TooMuch(Exception):
    """More bytes came than the headers of an answer may have."""


class Bounds:
    """One call's time and bytes. `idle_seconds` bounds the silence between two bytes; `tick` runs
    several times a second while nothing comes, and may raise to end the call."""

    def __init__(
        self,
        seconds: float,
        *,
        idle_seconds: float | None = None,
        tick: Callable[[], object] | None = None,
    ) -> None:
        self._end = monotonic() + seconds
        self._idle_seconds = idle_seconds
        self._heard_at = monotonic()
        self._tick = tick
        self._bytes_left: int | None = None

    def left(self) -> float:
        """Seconds, more than 0; raises TimeoutError when they are over."""
        left = self._end - monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def wait(self) -> float:
        """How long a call of the system may wait for bytes before it asks again."""
        if self._tick is not None:
            self._tick()
        left = self.left()
        if self._idle_seconds is not None:
            idle = self._heard_at + self._idle_seconds - monotonic()
            if idle <= 0:
                raise TimeoutError
            left = min(left, idle)
        return left if self._tick is None else min(left, TICK_SECONDS)

    def listen(self) -> None:
        """The silence is counted from now: before, the answer was not to be had yet."""
        self._heard_at = monotonic()

    def allow(self, most_bytes: int | None) -> None:
        """So many bytes may come from now on; None: any number."""
        self._bytes_left = most_bytes

    def heard(self, count: int) -> None:
        self._heard_at = monotonic()
        if self._bytes_left is not None:
            self._bytes_left -= count
            if self._bytes_left < 0:
                raise TooMuch
