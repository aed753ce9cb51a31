"""What a job gains in priority by waiting: computed from the time it has been ready, never written.
Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Ageing:
    """After `after_seconds` a job gains `step`, and again after each `every_seconds`, up to
    `highest`. A priority above that stays as it is."""

    after_seconds: float = 3600.0
    every_seconds: float = 300.0
    step: int = 10
    highest: int = 100

    def begins_for(self, now: datetime) -> datetime:
        """Whoever has been ready since before that has risen."""
        return now - timedelta(seconds=self.after_seconds)

    def effective(self, priority: int, waited_seconds: float) -> int:
        """The priority of a job that has been ready for so long."""
        if waited_seconds < self.after_seconds or not self.step:
            return priority
        times = 1 + int((waited_seconds - self.after_seconds) / max(self.every_seconds, 1e-3))
        return max(priority, min(self.highest, priority + self.step * times))
