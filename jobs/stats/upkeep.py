"""What the leading dispatcher does for the statistics, a small step at a time."""

from __future__ import annotations

import time
from collections.abc import Callable

from jobs.stats.pruning import BATCH, prune
from jobs.stats.rollup import JOBS_A_STEP, roll_up
from jobs.stats.sampling import sample

ROLL_UP_SECONDS = 10.0
SAMPLE_SECONDS = 20.0  # each minute has one sample; a look in between finds it there
PRUNE_SECONDS = 3600.0


class Statistics:
    """Call `run` each second or so. What is behind, after an outage, is caught up sooner."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._roll_up_at = self._sample_at = self._prune_at = float("-inf")

    def run(self) -> int:
        now = self._monotonic()
        if now >= self._roll_up_at:
            self._roll_up_at = now + ROLL_UP_SECONDS
            if roll_up() >= JOBS_A_STEP:
                self._roll_up_at = now
        if now >= self._sample_at:
            self._sample_at = now + SAMPLE_SECONDS
            sample()
        if now >= self._prune_at:
            self._prune_at = now + (0 if prune() >= BATCH else PRUNE_SECONDS)
        return 0
