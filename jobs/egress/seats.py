"""Who may have how many of a few places at once."""

from __future__ import annotations

import threading
from collections import Counter


class Seats:
    """`most` in all, and `most_of_one` of them for one party. Who belongs to no party ("") is
    bound by `most` alone."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._changed = threading.Condition()
        self._taken: Counter[str] = Counter()

    def take(self, party: str, *, seconds: float) -> bool:
        """Whether there was one within this time. Each that was taken is given back once."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_free(party), seconds):
                return False
            self._taken[party] += 1
            return True

    def give_back(self, party: str) -> None:
        with self._changed:
            self._taken[party] -= 1
            self._taken += Counter()  # keeps none who has no seat
            self._changed.notify_all()

    def _is_free(self, party: str) -> bool:
        if party and self._taken[party] >= self._most_of_one:
            return False
        return self._taken.total() < self._most
