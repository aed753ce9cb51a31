"""What is old is removed by the leading dispatcher: a round an hour, a little each second."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from webhooks import leftovers
from webhooks.leftovers import Oldest

ROUND_SECONDS = 3600.0
EVERY_SECONDS = 1.0
SHARE_SECONDS = 0.3  # of each: other chores have the same thread


class Part(Protocol):
    """One kind of row. `step` removes a few and returns how many, until `is_over`."""

    is_over: bool

    def step(self) -> int: ...


def whole_round() -> list[tuple[str, Part]]:
    """What is removed, or marked, in an order in which each kind frees rows for the next."""
    return [
        ("deliveries", Oldest(leftovers.DELIVERIES)),
        ("events", leftovers.events()),
        ("unused urls of jobs", leftovers.unused_urls()),
        ("endpoints", leftovers.endpoints()),
        ("secrets", Oldest(leftovers.SECRETS)),
    ]


class Housekeeping:
    """Call `run` each second: it works for a moment, and goes on in the next one until the round is
    over. Then it rests until an hour after the round's begin."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._left: list[tuple[str, Part]] = []
        self._next_round = float("-inf")

    def run(self) -> int:
        """Returns how many rows were removed, or marked."""
        if not self._left and not self._begin():
            return 0
        until = self._monotonic() + SHARE_SECONDS
        done = self._step()
        while self._left and self._monotonic() < until:
            done += self._step()
        return done

    def _begin(self) -> bool:
        if self._monotonic() < self._next_round:
            return False
        self._next_round = self._monotonic() + ROUND_SECONDS
        self._left = whole_round()
        return True

    def _step(self) -> int:
        """Of the first kind that is not over. One that fails is over for this round."""
        part = self._left[0][1]
        try:
            return part.step()
        finally:
            if part.is_over:
                self._left.pop(0)


def run_to_the_end() -> Counter[str]:
    """A whole round without a rest. Returns how many rows of each kind were removed, or marked."""
    removed: Counter[str] = Counter()
    for name, part in whole_round():
        while not part.is_over:
            removed[name] += part.step()
    return removed
