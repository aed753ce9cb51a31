"""Words that job code says to the engine by raising them, and those the engine says to it.

Raised by job code (ordinary exceptions):
    Retry         try again later; spends a retry
    Snooze        run again later; spends nothing
    RateLimited   the same, and no job with its limit key starts before then
    Cancel        end as cancelled

Raised into job code:
    TimedOut          the job's timeout; Celery's SoftTimeLimitExceeded, an ordinary exception
and these, no subclasses of Exception, so that `except Exception` does not swallow them:
    CancelRequested   somebody asked to cancel the job
    Terminated        it did not end within the grace time after that
    ShuttingDown      the worker stops; the job goes back to its queue
    LeaseLost         another attempt may hold the job now; nothing this one writes is kept
"""

from __future__ import annotations

from datetime import UTC, datetime

from celery.exceptions import SoftTimeLimitExceeded


class Retry(Exception):
    """End this attempt and run the job again `after` seconds (None: by the type's backoff)."""

    def __init__(self, after: float | None = None, reason: str = "retry asked for by the job"):
        super().__init__(reason)
        self.after = after
        self.reason = reason


class Snooze(Exception):
    """Run the job again after so many seconds; no retry is spent."""

    def __init__(self, seconds: float):
        super().__init__(f"snoozed for {seconds} s")
        self.seconds = seconds


class RateLimited(Exception):
    """Whoever the job's limit key stands for wants to be left alone `until` then, a moment with
    its time zone or a number of seconds, at most a day away. The job runs again after it, no retry
    is spent, and no job of the key starts before. `key`: another one of the same tenant. A job
    without a key is snoozed."""

    def __init__(self, until: datetime | float, key: str | None = None):
        self.seconds = _seconds_to(until)
        super().__init__(f"left alone for {self.seconds:.1f} s")
        self.key = key


def _seconds_to(until: datetime | float) -> float:
    if not isinstance(until, datetime):
        return float(until)
    if until.utcoffset() is None:
        raise ValueError("until needs a time zone")
    return (until - datetime.now(UTC)).total_seconds()


class Cancel(Exception):
    """End the job as cancelled, for the reason given."""

    def __init__(self, reason: str = "cancelled by the job itself"):
        super().__init__(reason)
        self.reason = reason


class Interruption(BaseException):
    """The engine ends the job's code."""


class CancelRequested(Interruption):
    """Somebody asked to cancel the job."""


class Terminated(Interruption):
    """The job did not end within the grace time after a cancel."""


class ShuttingDown(Interruption):
    """The worker stops; the job goes back to its queue."""


class LeaseLost(Interruption):
    """Another attempt may hold the job now."""


class TimedOut(SoftTimeLimitExceeded):
    """The attempt ran longer than the job's timeout."""

    def __str__(self) -> str:
        return "The attempt ran longer than the job's timeout."
