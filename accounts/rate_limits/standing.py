"""How a window stands: what a caller is told of it. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from accounts.rate import Rate


@dataclass(frozen=True, kw_only=True)
class Standing:
    """`reset_seconds` until the oldest hit leaves the window; 0 where it is empty."""

    limit: int
    remaining: int
    reset_seconds: int
    allowed: bool


def standing(rate: Rate, *, used: int, oldest: float, now: float, allowed: bool) -> Standing:
    """`oldest` and `now` in seconds of one clock; a hit never stays longer than its window."""
    left = oldest + rate.seconds - now
    return Standing(
        limit=rate.starts,
        remaining=max(0, rate.starts - used),
        reset_seconds=min(max(1, math.ceil(left)), rate.seconds) if used else 0,
        allowed=allowed,
    )
