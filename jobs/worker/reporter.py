"""A running job's progress, written at most twice a second and only if it changed."""

from __future__ import annotations

import time

from django.db import InterfaceError, OperationalError, connection

from jobs import lifecycle
from jobs.control import LeaseLost
from jobs.exceptions import AttemptLost
from jobs.message import FencedJob
from jobs.worker.outcome import storable
from jobs.worker.slots import Slot

_EVERY_SECONDS = 0.5
_MAX_MESSAGE = 500


class Reporter:
    def __init__(self, held: FencedJob, slot: Slot) -> None:
        self._held = held
        self._slot = slot
        self._written: tuple[int, str] = (0, "")
        self._written_at = float("-inf")
        self._cancel_requested = False

    def progress(self, percent: float, message: str) -> None:
        said = (int(percent), storable(message)[:_MAX_MESSAGE])
        now = time.monotonic()
        if said == self._written or now - self._written_at < _EVERY_SECONDS:
            return
        self._written, self._written_at = said, now
        self._write(*said)

    def _write(self, percent: int, message: str) -> None:
        """Progress is worth no failure: without the database it is left out. But an attempt that
        lost its job learns it here, and its code ends."""
        if connection.in_atomic_block:
            return  # it would become visible, and be kept, only with the job's own transaction
        try:
            self._cancel_requested |= lifecycle.progress(
                self._held, percent=percent, message=message
            )
        except AttemptLost as error:
            raise LeaseLost from error
        except (OperationalError, InterfaceError):
            connection.close()

    def cancel_requested(self) -> bool:
        return self._cancel_requested or self._slot.cancel_requested
