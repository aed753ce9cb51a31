"""The attempts whose child died, until what became of them stands in the database."""

from __future__ import annotations

import logging
import time
from enum import Enum, auto

from django.db import DatabaseError, InterfaceError, connection

from jobs.message import FencedJob
from jobs.worker import ending

logger = logging.getLogger(__name__)


class Death(Enum):
    """How an attempt's child came to an end, as the main process learned it."""

    CRASHED = auto()
    TIMED_OUT = auto()
    EXPIRED = auto()  # its own watchdog: the lease could not be renewed
    CANCELLED = auto()  # it did not listen to a cancel
    STOPPED = auto()  # the worker stops


class Deaths:
    def __init__(self, *, most_seconds: float) -> None:
        """`most_seconds` is how long recording may keep renewals waiting."""
        self._most_seconds = most_seconds
        self._noted: dict[FencedJob, Death] = {}

    def note(self, job: FencedJob, death: Death) -> None:
        """The first word about a death is the true one. Safe to call in any thread."""
        self._noted.setdefault(job, death)

    def record(self) -> None:
        """What the database does not take now, because it is away or somebody holds the row, is
        tried again, as it is and after the others. Renewals are not kept waiting for it."""
        leave_off_at = time.monotonic() + self._most_seconds
        for job, death in list(self._noted.items()):
            try:
                _record(job, death)
            except (DatabaseError, InterfaceError) as error:
                self._noted[job] = self._noted.pop(job)
                if not connection.is_usable():
                    raise
                text = "job %s: its end must wait (%s)"
                logger.warning(text, job.id, first_line(error), extra={"job_id": job.id})
                if time.monotonic() > leave_off_at:
                    return
                continue
            except Exception:  # one that cannot be recorded must not hold up the others
                text = "job %s: its end could not be recorded"
                logger.exception(text, job.id, extra={"job_id": job.id})
            del self._noted[job]


def _record(job: FencedJob, death: Death) -> None:
    match death:
        case Death.CRASHED:
            ending.crashed(job)
        case Death.TIMED_OUT:
            ending.timed_out(job)
        case Death.EXPIRED:
            ending.gave_up(job, "The lease could not be renewed.")
        case Death.CANCELLED:
            ending.cancelled(job)
        case Death.STOPPED:
            ending.gave_up(job, "The worker stopped.")


def first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
