"""What other apps have the leading dispatcher do, each at its own pace, beside everything else.

An app registers a step when it is set up; the engine knows nothing of what it does. All of them
share one thread: none may take long, and one that fails keeps none of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from jobs.dispatcher.every import Every


@dataclass(frozen=True, kw_only=True)
class Chore:
    """`step` may be repeated at any time, and returns how much it did."""

    name: str
    every_seconds: float
    step: Callable[[], int]


_registered: dict[str, Chore] = {}


def register(chore: Chore) -> None:
    _registered[chore.name] = chore


class Chores:
    def __init__(self) -> None:
        self._due = [(chore, Every(chore.every_seconds)) for chore in _registered.values()]

    def due(self) -> Iterator[Callable[[], int]]:
        """The steps of this second."""
        for chore, every in self._due:
            if every.is_due():
                yield chore.step
