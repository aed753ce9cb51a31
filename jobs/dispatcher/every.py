"""Something that is to be done once in a while."""

from __future__ import annotations

import time
from collections.abc import Callable


class Every:
    """Says once in a while that something is due, at once to begin with."""

    def __init__(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._next = float("-inf")

    def is_due(self) -> bool:
        now = self._monotonic()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True
