"""In which order a worker asks its queues of the broker for messages.

The levels strictly, the most urgent first. Inside a level the queues take turns: whichever gave a
message comes last of its level. Without that the first of them by name would be the only one that
is ever asked while somebody floods it.
"""

from __future__ import annotations

from collections.abc import Iterable

from kombu.utils.scheduling import round_robin_cycle

from jobs.priorities import Level

_RANKS = {level.value: rank for rank, level in enumerate(Level)}
_PLAIN = _RANKS[Level.NORMAL]  # a queue without levels, which ordinary Celery tasks have


class LevelCycle(round_robin_cycle):  # type: ignore[type-arg]  # a generic in its stubs alone
    """kombu's `queue_order_strategy`, by name: it is asked for all queues, in order, before each
    look at Redis, and told which one gave a message."""

    items: list[str]

    def update(self, it: Iterable[str]) -> None:
        """What is consumed has changed; it may come in any order of levels."""
        self.items[:] = sorted(it, key=_rank)

    def rotate(self, last_used: str) -> None:
        if last_used in self.items:
            self.items.remove(last_used)
            rank = _rank(last_used)
            behind = (at for at, queue in enumerate(self.items) if _rank(queue) > rank)
            self.items.insert(next(behind, len(self.items)), last_used)


def _rank(queue: str) -> int:
    return _RANKS.get(queue.rpartition(".")[2], _PLAIN)
