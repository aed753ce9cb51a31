"""A number of jobs, and whether it is exact."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Q

from jobs.stats.estimate import estimates
from jobs.stats.whose import Whose

EXACT_TO = 10_000
LIMIT = EXACT_TO + 1  # one more tells that there are more

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, kw_only=True)
class Count:
    """Not `exact`: an estimate above EXACT_TO, of which only the size is right."""

    number: int = 0
    exact: bool = True

    def __add__(self, other: Count) -> Count:
        return Count(number=self.number + other.number, exact=self.exact and other.exact)


def with_estimates(
    whose: Whose, counted: Mapping[Key, int], cut: Collection[Key], groups: Mapping[Key, Q]
) -> dict[Key, Count]:
    """Counts, with the planner's word for those that were cut short.

    `groups` says what each key counted.
    """
    guessed = estimates(whose, {key: groups[key] for key in cut})
    return {
        key: Count(number=max(number, guessed[key]), exact=False)
        if key in guessed
        else Count(number=number)
        for key, number in counted.items()
    }


def cut_short(counted: Mapping[Key, int]) -> set[Key]:
    """Those that stopped at LIMIT."""
    return {key for key, number in counted.items() if number >= LIMIT}
