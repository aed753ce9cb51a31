"""A running job's progress, written at most twice a second and only if it changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection

from jobs import lifecycle
from jobs.artifacts import keeping
from jobs.artifacts.content import taken_in
from jobs.context import Content
from jobs.control import LeaseLost
from jobs.exceptions import ArtifactRefused, AttemptLost
from jobs.message import FencedJob
from jobs.worker.outcome import storable
from jobs.worker.revealing import Secrets
from jobs.worker.slots import Slot

_EVERY_SECONDS = 0.5
_MAX_MESSAGE = 500


class Reporter:
    """Whenever job code speaks to it, it may be told to end: in a thread by nothing else."""

    def __init__(
        self, held: FencedJob, slot: Slot, secrets: Secrets, ask: Callable[[], None] = lambda: None
    ) -> None:
        self._held = held
        self._ask = ask
        self._slot = slot
        self._secrets = secrets
        self._written: tuple[int, str] = (0, "")
        self._written_at = float("-inf")
        self._cancel_requested = False

    def progress(self, percent: float, message: str) -> None:
        self._ask()
        said = (int(percent), shown(message, self._secrets))
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

    def artifact(self, name: str, content: Content, content_type: str) -> UUID:
        self._ask()
        if connection.in_atomic_block:
            raise ArtifactRefused("An artifact is handed over with no transaction open.")
        return kept_artifact(self._held, name, content, content_type)

    def cancel_requested(self) -> bool:
        self._ask()
        return self._cancel_requested or self._slot.cancel_requested


def shown(message: str, secrets: Secrets) -> str:
    return storable(message, secrets() if message else ())[:_MAX_MESSAGE]


def kept_artifact(held: FencedJob, name: str, content: Content, content_type: str) -> UUID:
    """Raises LeaseLost into the job's code where the attempt has lost its job."""
    file = taken_in(name, content, content_type)
    try:
        with file.content:
            return keeping.keep(held, file)
    except AttemptLost as error:
        raise LeaseLost from error
    except (OperationalError, InterfaceError):
        connection.close()  # the job's code may try again, on a new one
        raise
