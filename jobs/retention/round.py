"""What the leading dispatcher does for retention: a round an hour, a small step at a time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Protocol
from uuid import UUID

from jobs.retention import leftovers
from jobs.retention.leftovers import OLD_ROWS, Oldest, OldStarts, Pages
from jobs.retention.walk import Walk

ROUND_SECONDS = 3600.0


class Part(Protocol):
    """One kind of row. `step` removes a few and returns how many, until `is_over`."""

    is_over: bool

    def step(self) -> int: ...


def whole_round() -> list[tuple[str, Part]]:
    """What is removed: a word for each kind, and who sees to it."""
    nil = UUID(int=0)
    old = [(name, Oldest(statement)) for name, statement in OLD_ROWS.items()]
    return [
        ("jobs", Walk()),
        *old,
        ("starts counted against rates", OldStarts()),
        ("states of keys", Pages(0, leftovers.silent_keys)),
        ("batches", Pages(nil, partial(leftovers.empty_groups, "jobs_batch"))),
        ("workflows", Pages(nil, partial(leftovers.empty_groups, "jobs_workflow"))),
    ]


class Retention:
    """Call `run` each second or so: one step, of each kind in turn, so that none waits for the end
    of another. After a round it rests until an hour after its begin; what falls due meanwhile waits
    for the next one."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._left: list[tuple[str, Part]] = []
        self._next_round = float("-inf")

    def run(self) -> int:
        """Do the next step, if one is due. Returns how many rows were removed."""
        self._left = [(name, part) for name, part in self._left if not part.is_over]
        if not self._left:
            if self._monotonic() < self._next_round:
                return 0
            self._next_round = self._monotonic() + ROUND_SECONDS
            self._left = whole_round()
        turn = self._left.pop(0)
        self._left.append(turn)
        return turn[1].step()


def run_to_the_end() -> Counter[str]:
    """A whole round without a rest. Returns how many rows of each kind were removed; those of
    batches and workflows that went with their last job are not counted."""
    removed: Counter[str] = Counter()
    for name, part in whole_round():
        while not part.is_over:
            removed[name] += part.step()
    return removed
