"""What an explanation says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Code(StrEnum):
    """In order of what is likely to be read first."""

    ENDED = "ended"
    RUNNING = "running"
    BLOCKED = "blocked"
    SCHEDULED = "scheduled"
    DISPATCHER_DOWN = "dispatcher_down"
    NO_WORKER = "no_worker"
    PAUSED = "paused"
    CIRCUIT_OPEN = "circuit_open"
    RATE_LIMITED = "rate_limited"
    CONCURRENCY_LIMITED = "concurrency_limited"
    QUOTA = "quota"
    QUEUED_BEHIND = "queued_behind"


@dataclass(frozen=True, kw_only=True)
class Reason:
    """`detail` is for people, and so is `remedy`: what would change it. `object` is what it is
    about. `until`: when it is over, if that is known; `likely_until`: if it can only be guessed."""

    code: Code
    detail: str
    until: datetime | None = None
    object: str | None = None
    remedy: str = ""
    likely_until: datetime | None = None

    @property
    def is_hard(self) -> bool:
        """Whether it stands in the way whatever the job's turn."""
        return self.code != Code.QUEUED_BEHIND

    @property
    def over_at(self) -> datetime | None:
        return self.until or self.likely_until


def latest(reasons: Sequence[Reason], now: datetime) -> datetime | None:
    """When the last of them is over; None where that cannot be known."""
    moment = now
    for reason in reasons:
        if reason.over_at is None:
            return None
        moment = max(moment, reason.over_at)
    return moment


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """`runnable`: nothing but its turn is in the way. `ahead`: how many jobs of the queue go
    first, higher levels included; None unless it is queued. `expected_start_at`: None where nobody
    can know."""

    reasons: Sequence[Reason]
    runnable: bool = False
    ahead: int | None = None
    ahead_exact: bool | None = None
    expected_start_at: datetime | None = None
