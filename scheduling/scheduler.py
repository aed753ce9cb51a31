"""Beat's scheduler: django-celery-beat's, which fires schedules itself and says that it lives.

A schedule's moment becomes a job right here, in one transaction and without a message. So neither
busy workers nor a broker that is away delay it; and since nothing is remembered between two looks,
an edit acts with the next one. Plain entries need the broker, and waiting for it may take any time:
a thread of their own sends them.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from typing import Any

from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.db.models.functions import Now
from django_celery_beat.schedulers import DatabaseScheduler

from jobs.models import Heartbeat
from scheduling import entries
from scheduling.beat_rows import TASK
from scheduling.declared import synchronise_at_start
from scheduling.firing import Firing, seconds_to_next

logger = logging.getLogger(__name__)

DUTY = "scheduler"
EVERY_SECONDS = 30.0
LOOK_SECONDS = 1.0  # at the latest: so soon an edit acts
_LEAST_SECONDS = 0.01
_BUSY_SECONDS = 0.2  # where something is due that another process holds, or that cannot be fired
_AGAIN_SECONDS = 1.0  # after a failure
_ENTRIES_AGAIN_SECONDS = 5.0  # the same, of plain entries
_SEND_AGAIN_SECONDS = 30.0  # after a plain entry that could not be sent
_STOP_SECONDS = 1.0  # for their thread to end; one that waits for the broker is left behind

_DatabaseScheduler: Any = DatabaseScheduler  # it has no types


class Scheduler(_DatabaseScheduler):  # type: ignore[misc]  # as above
    Entry = entries.Entry

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._written_at = float("-inf")
        self._firing = Firing()
        self._is_set_up = False
        self._read_anew_at = float("inf")
        self._stopping = threading.Event()
        self._beside: threading.Thread | None = None
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Fire what has come. Returns how long to sleep."""
        try:
            close_old_connections()
            self._firing.run()
            until = seconds_to_next()
            self._show_life()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("no schedule can be fired: %s", str(error).partition("\n")[0])
            connection.close()
            return _AGAIN_SECONDS
        except Exception:
            logger.exception("firing schedules failed")
            return _AGAIN_SECONDS
        if until is None:
            return LOOK_SECONDS
        return min(LOOK_SECONDS, max(_LEAST_SECONDS, until) if until > 0 else _BUSY_SECONDS)

    def _show_life(self) -> None:
        now = time.monotonic()
        if now - self._written_at < EVERY_SECONDS:
            return
        show_life()
        self._written_at = now

    def setup_schedule(self) -> None:
        """Done by the thread, as soon as the database is there."""
        self._beside = threading.Thread(target=self._send, name="entries", daemon=True)
        self._beside.start()

    def sync(self) -> None:
        """Nothing: what beat would write here, `Entry.claim` has written already."""

    def close(self) -> None:
        self._stopping.set()
        if self._beside is not None:
            self._beside.join(_STOP_SECONDS)
        if self._beside is None or not self._beside.is_alive():
            super().close()  # of the connection that the thread uses

    # --- plain entries, in their thread -----------------------------------------------------------

    def _send(self) -> None:
        try:
            while not self._stopping.wait(self._send_due()):
                pass
        finally:
            connection.close()

    def _send_due(self) -> float:
        """One step, whatever comes of it. Returns how long to wait."""
        try:
            return self._step()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("plain entries wait: %s", str(error).partition("\n")[0])
            connection.close()
        except Exception:
            logger.exception("plain entries could not be sent")
        self._read_anew_at = time.monotonic()  # what failed may be half read, or out of the heap
        return _ENTRIES_AGAIN_SECONDS

    def _step(self) -> float:
        close_old_connections()
        if self._read_anew_at <= time.monotonic():
            self._initial_read, self._heap = True, None
            self._read_anew_at = float("inf")
        if not self._is_set_up and not self._set_up():
            return _ENTRIES_AGAIN_SECONDS
        return min(LOOK_SECONDS, super().tick() or 0.0)

    def _set_up(self) -> bool:
        if synchronise_at_start():
            super().setup_schedule()
            self._is_set_up = True
        return self._is_set_up

    def enabled_models_qs(self) -> Any:
        """All that are enabled and no schedule's. Celery's own choice leaves out those of another
        hour, and so forgets what was missed or sends it early."""
        return (
            self.Model.objects.enabled()
            .exclude(task=TASK)
            .select_related("interval", "crontab", "solar", "clocked")
        )

    def apply_entry(self, entry: entries.Entry, producer: Any = None) -> None:
        try:
            if not entry.claim():
                return
        except (DatabaseError, InterfaceError) as error:
            logger.warning("%s is not sent: %s", entry.name, str(error).partition("\n")[0])
            connection.close()
            self._read_anew_soon()
            return
        super().apply_entry(entry, producer)  # logs what goes wrong

    def apply_async(self, entry: entries.Entry, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().apply_async(entry, *args, **kwargs)
        except Exception:
            self._read_anew_soon()
            entry.give_back()
            raise

    def _read_anew_soon(self) -> None:
        """Not at once: an entry that always fails would keep those behind it."""
        self._read_anew_at = min(self._read_anew_at, time.monotonic() + _SEND_AGAIN_SECONDS)


def show_life() -> None:
    Heartbeat.objects.update_or_create(
        duty=DUTY,
        defaults={"holder": f"{socket.gethostname()}:{os.getpid()}", "seen_at": Now()},
    )
