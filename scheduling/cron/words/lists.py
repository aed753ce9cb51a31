"""Lists of numbers and names, as a sentence has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

_LONG = 8  # numbers that a sentence can list one by one


def joined(parts: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    *head, tail = parts
    return f"{', '.join(head)} {last} {tail}" if head else tail


def runs(values: Iterable[int], label: Callable[[int], str] = str) -> list[str]:
    """One part for each number, but `3 to 7` for three or more in a row, and
    `1, 3, 5 and so on to 31` for a long row of even steps."""
    ordered = sorted(values)
    if len(ordered) > _LONG and len({later - earlier for earlier, later in pairwise(ordered)}) == 1:
        return [_row(ordered, label)]
    rows: list[list[int]] = []
    for value in ordered:
        if rows and value == rows[-1][-1] + 1:
            rows[-1].append(value)
        else:
            rows.append([value])
    return [part for row in rows for part in _parts(row, label)]


def _row(ordered: list[int], label: Callable[[int], str]) -> str:
    if is_run(ordered):
        return f"{label(ordered[0])} to {label(ordered[-1])}"
    first, second, third = (label(value) for value in ordered[:3])
    return f"{first}, {second}, {third} and so on to {label(ordered[-1])}"


def _parts(row: list[int], label: Callable[[int], str]) -> list[str]:
    return [label(value) for value in row] if len(row) < 3 else [_row(row, label)]


def is_run(values: Iterable[int]) -> bool:
    """Whether they follow each other without a hole."""
    ordered = sorted(values)
    return ordered == list(range(ordered[0], ordered[-1] + 1))


def even_step(values: Iterable[int], size: int) -> int | None:
    """The step by which they go round a dial of that size from 0, the same all the way."""
    ordered = sorted(values)
    step = size // len(ordered)
    return step if ordered == list(range(0, size, step)) and size % step == 0 else None
