"""When a delivery that failed is tried again. Pure: randomness and time are arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from random import Random
from typing import Any

from django.conf import settings

from jobs.backoff import Backoff

JITTER = 0.1
LONGEST_WAIT = 7 * 86_400
LONGEST_TOLD = 3_600.0  # of a Retry-After that is heeded
MOST_ATTEMPTS = 50
_FACTOR = 2.0


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """`waits` are the seconds after each failed attempt but the last; all are spread by jitter, so
    that what failed together does not come back together."""

    waits: Sequence[float]

    @property
    def most_attempts(self) -> int:
        return len(self.waits) + 1

    def wait(self, failures: int, random: Random) -> float:
        """After so many failed attempts, at least one; a strategy of one attempt has no wait."""
        wait = self.waits[min(failures, len(self.waits)) - 1] if self.waits else 0.0
        return max(0.0, wait * (1 + JITTER * random.uniform(-1, 1)))


def strategy_of(retry: Mapping[str, Any] | None) -> Strategy:
    """As an endpoint says it: `{"schedule": [seconds …]}`, or some of `max_attempts`,
    `backoff_seconds` and `max_seconds`; what it leaves out is as configured."""
    given = retry or {}
    if "schedule" in given:
        return Strategy(waits=tuple(given["schedule"]))
    backoff = Backoff(
        base_seconds=given.get("backoff_seconds", settings.WEBHOOK_BACKOFF_SECONDS),
        factor=_FACTOR,
        max_seconds=given.get("max_seconds", LONGEST_WAIT),
        jitter=0,
    )
    attempts = min(given.get("max_attempts", settings.WEBHOOK_MAX_ATTEMPTS), MOST_ATTEMPTS)
    steady = Random(0)  # noqa: S311 (no jitter: it decides nothing)
    return Strategy(waits=tuple(backoff.delay_seconds(n, steady) for n in range(attempts - 1)))


def told_wait(header: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` asks for, as seconds or as a date; None where it is none."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_TOLD)
    try:
        seconds = (parsedate_to_datetime(text) - now).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_TOLD)
