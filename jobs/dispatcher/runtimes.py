"""How long jobs of each type run, as the dispatcher has measured it. In memory, by design:
a dispatcher that knows nothing yet only keeps its window smaller."""

from __future__ import annotations

import threading

# Smoothing of mean and deviation as TCP does for round trips (RFC 6298): a type whose run times
# scatter counts as slower than its mean.
_MEAN_GAIN, _DEVIATION_GAIN, _DEVIATIONS = 1 / 8, 1 / 4, 4


class Runtimes:
    """Thread-safe: nudges arrive in another thread than the one that asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._measured: dict[str, tuple[float, float]] = {}

    def record(self, job_type: str, seconds: float) -> None:
        with self._lock:
            known = self._measured.get(job_type)
            if known is None:
                self._measured[job_type] = (seconds, seconds / 2)
                return
            mean, deviation = known
            deviation += _DEVIATION_GAIN * (abs(seconds - mean) - deviation)
            self._measured[job_type] = (mean + _MEAN_GAIN * (seconds - mean), deviation)

    def expected(self, job_type: str) -> float | None:
        """Seconds that a job of this type hardly ever exceeds, or None if none was measured."""
        with self._lock:
            known = self._measured.get(job_type)
        return None if known is None else known[0] + _DEVIATIONS * known[1]
