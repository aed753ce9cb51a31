"""Waiting times as counts in buckets that grow by the square root of two. Pure.

A quantile read from them is an estimate: the true value lies in the same bucket, so it is at most
41 % above the bucket's lower bound, and what is answered (the bucket's geometric middle) is off by
19 % at the most.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

FLOOR_SECONDS = 0.001  # shorter waits count as this
FACTOR = 2**0.5
BUCKETS = 64  # the last one begins at 35 days

ERROR_RATIO = FACTOR**0.5 - 1

# The same division in SQL; `{seconds}` is an expression.
BUCKET_SQL = f"LEAST({BUCKETS - 1}, floor(2 * ln(GREATEST({{seconds}}, {FLOOR_SECONDS}) / {FLOOR_SECONDS}) / ln(2)))::int"  # noqa: E501

Waits = Sequence[int]


def added(one: Waits, other: Waits) -> list[int]:
    return [a + b for a, b in zip_longest(one, other, fillvalue=0)]


def counted(bucket: int, number: int) -> list[int]:
    """So many waits of one bucket."""
    return [0] * bucket + [number]


def middle(bucket: int) -> float:
    """Seconds in the middle of a bucket."""
    seconds: float = FLOOR_SECONDS * FACTOR ** (bucket + 0.5)
    return seconds


def quantile(waits: Waits, share: float) -> float | None:
    """Seconds that `share` of the waits did not exceed; None where nothing was measured."""
    total = sum(waits)
    if not total:
        return None
    passed = 0
    for bucket, number in enumerate(waits):
        passed += number
        if passed >= share * total and number:
            return middle(bucket)
    return middle(len(waits) - 1)
