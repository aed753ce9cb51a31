"""When a circuit breaker of a limit key opens, and for how long. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Circuit:
    """After so many failures of jobs of one key in a row, none of them starts for `open_seconds`;
    then one is tried, and its success lets the others go on."""

    failures: int = 5
    open_seconds: float = 60.0

    @property
    def is_sound(self) -> bool:
        return self.failures >= 1 and 0 < self.open_seconds <= 86_400
