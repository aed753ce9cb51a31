"""How long a failed attempt waits before the next one. Pure: randomness is an argument."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, kw_only=True, slots=True)
class Backoff:
    """`base_seconds` x `factor`^n, n = 0 for the first retry, capped, then spread by jitter.

    `jitter` is a share: 0.1 spreads a delay evenly over 90 % to 110 % of itself, so that jobs
    which failed together do not come back together.
    """

    base_seconds: float = 120.0
    factor: float = 2.0
    max_seconds: float = 1800.0
    jitter: float = 0.1

    @property
    def is_sound(self) -> bool:
        """Whether every figure is finite, none is negative, and the jitter is a share."""
        amounts = (self.base_seconds, self.factor, self.max_seconds)
        return all(0 <= amount < math.inf for amount in amounts) and 0 <= self.jitter <= 1

    def delay_seconds(self, retry_number: int, random: Random) -> float:
        """Seconds to wait before retry `retry_number` (0 is the first)."""
        try:
            delay = min(self.base_seconds * float(self.factor) ** retry_number, self.max_seconds)
        except OverflowError:  # 2.0 ** 5000 is an error, not infinity
            delay = self.max_seconds if self.base_seconds else 0.0
        return max(0.0, delay * (1 + self.jitter * random.uniform(-1, 1)))


DEFAULT = Backoff()
CRAWLER = Backoff(base_seconds=60, max_seconds=86_400, jitter=0.2)
FIXED_30S = Backoff(base_seconds=30, factor=1, max_seconds=30, jitter=0)
NONE = Backoff(base_seconds=0, factor=1, max_seconds=0, jitter=0)

POLICIES = {"default": DEFAULT, "crawler": CRAWLER, "fixed_30s": FIXED_30S, "none": NONE}
