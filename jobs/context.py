"""What a running job knows of itself, and how it speaks to the engine."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from jobs.control import CancelRequested


class Reporter(Protocol):
    """Where a context's words go: the worker's, or a test's."""

    def progress(self, percent: float, message: str) -> None: ...

    def cancel_requested(self) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class JobContext:
    """The first argument of every job function."""

    job_id: UUID
    attempt_id: str  # "<job id>:<fence>", never used twice: the key for idempotent effects outside
    attempt: int  # starts of this job so far, 1 at the first
    retry_count: int
    max_retries: int
    tenant: str
    reporter: Reporter = field(repr=False)
    owner: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    deadline: float = float("inf")  # of `time.monotonic()`: when the attempt's time is over

    def progress(self, percent: float, message: str = "") -> None:
        """Tell how far the job is, 0 to 100, and at what. Cheap: writes are coalesced.

        Raises LeaseLost where the attempt has lost its job.
        """
        self.reporter.progress(min(100.0, max(0.0, percent)), message)

    @property
    def cancel_requested(self) -> bool:
        """Whether somebody asked to cancel this job. Costs nothing to ask often."""
        return self.reporter.cancel_requested()

    def raise_if_cancelled(self) -> None:
        """Leave the job's code here if somebody asked to cancel it."""
        if self.cancel_requested:
            raise CancelRequested

    def sleep(self, seconds: float) -> None:
        """Wait, but leave at once when somebody asks to cancel the job."""
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            self.raise_if_cancelled()
            time.sleep(min(rest, 0.1))
        self.raise_if_cancelled()

    @property
    def seconds_left(self) -> float:
        """Until the job's timeout ends this attempt."""
        return self.deadline - time.monotonic()
