"""What a running job knows of itself, and how it speaks to the engine."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Protocol
from uuid import UUID

from jobs.control import CancelRequested
from jobs.log_level import LogLevel

logger = logging.getLogger(__name__)

Content = bytes | bytearray | memoryview | str | IO[bytes]


class Reporter(Protocol):
    """Where a context's words go: the worker's, or a test's."""

    def progress(self, percent: float, message: str) -> None: ...

    def cancel_requested(self) -> bool: ...

    def artifact(self, name: str, content: Content, content_type: str) -> UUID: ...


def _log_only(level: LogLevel, text: str) -> None:
    """Where a context is made by hand, lines go nowhere else."""
    logger.log(level.number, "%s", text)


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
    scheduled_for: datetime | None = None  # the moment of its schedule that this run is for
    deadline: float = float("inf")  # of `time.monotonic()`: when the attempt's time is over
    add_line: Callable[[LogLevel, str], None] = field(default=_log_only, repr=False)

    def progress(self, percent: float, message: str = "") -> None:
        """Tell how far the job is, 0 to 100, and at what. Cheap: writes are coalesced.

        Raises LeaseLost where the attempt has lost its job.
        """
        self.reporter.progress(min(100.0, max(0.0, percent)), message)

    def log(self, message: object, level: str = "info", **fields: object) -> None:
        """Keep a line with the job, for whoever looks at it, and write it to the worker's log.

        It can be read within a second. `fields` stand behind the message as `name=value`; secret
        parameters are shown as `***`. Never waits for the database, nor fails without it. Raises
        ValueError for a level that is none.
        """
        told = [str(message), *(f"{name}={value!r}" for name, value in fields.items())]
        self.add_line(LogLevel(level), " ".join(told))

    def artifact(self, name: str, content: Content, content_type: str = "") -> UUID:
        """Keep a file with the job: bytes, a text, or an open binary file. Returns its id.

        It is there at once, also where the attempt fails after that; another one of the same name
        takes its place. Without `content_type` its name tells. Raises ArtifactRefused where it is
        too large, one too many, or a transaction is open here; OSError where the storage fails;
        LeaseLost where the attempt has lost its job.
        """
        return self.reporter.artifact(name, content, content_type)

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
