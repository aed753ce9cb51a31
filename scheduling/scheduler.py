"""Beat's scheduler: django-celery-beat's, which also says that it lives.

Beat leaves no trace in the database while no entry is due, so it writes a line of its own there.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.db.models.functions import Now
from django_celery_beat.schedulers import DatabaseScheduler

from jobs.models import Heartbeat

logger = logging.getLogger(__name__)

DUTY = "scheduler"
EVERY_SECONDS = 30.0

_DatabaseScheduler: Any = DatabaseScheduler  # it has no types


class Scheduler(_DatabaseScheduler):  # type: ignore[misc]  # as above
    """Ticks at least every five seconds (`DEFAULT_MAX_INTERVAL`), so the line stays fresh."""

    _written_at = float("-inf")

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        self._show_life()
        return super().tick(*args, **kwargs)

    def _show_life(self) -> None:
        now = time.monotonic()
        if now - self._written_at < EVERY_SECONDS:
            return
        try:
            show_life()
            self._written_at = now
        except (DatabaseError, InterfaceError) as error:
            logger.warning("no sign of life: %s", str(error).partition("\n")[0])
            connection.close()


def show_life() -> None:
    Heartbeat.objects.update_or_create(
        duty=DUTY,
        defaults={"holder": f"{socket.gethostname()}:{os.getpid()}", "seen_at": Now()},
    )
