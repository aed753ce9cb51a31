"""When those that found no room come again: one after the other, as room is likely to be. Pure:
randomness and time are arguments."""

from __future__ import annotations

from random import Random

SHORTEST_WAIT, LONGEST_WAIT = 2.0, 300.0
JITTER = 0.1
_WEIGHT = 0.1  # of the newest in the mean


class Turns:
    """Of room for `most`, each of whom keeps it for `likely_seconds`, until it is known better."""

    def __init__(self, most: int, likely_seconds: float, random: Random) -> None:
        self._most = most
        self._mean = likely_seconds
        self._random = random
        self._last = float("-inf")

    def took(self, seconds: float) -> None:
        """Somebody had room for so long."""
        self._mean += _WEIGHT * (seconds - self._mean)

    def next(self, now: float) -> float:
        """Seconds until the turn of one more. Those whose turn is too far away come sooner, and
        may find no room again."""
        turn = max(now, self._last) + self._mean / self._most
        self._last = min(turn, now + LONGEST_WAIT)
        wait = (self._last - now) * (1 + JITTER * self._random.uniform(-1, 1))
        return min(max(wait, SHORTEST_WAIT), LONGEST_WAIT)
