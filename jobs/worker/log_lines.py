"""The lines that a job's code logs, kept with the job.

A thread writes them, twice a second at most and on a connection of its own: so they can be read
while the code works for an hour, or holds a transaction open. It lives from the first line to the
end of the attempt; what it has not written by then the attempt itself writes before its outcome. A
job that logs nothing costs nothing.

Two weaknesses: a process that is killed takes its last half second of lines with it, and where the
database goes away at the very moment of a write, lines may stand twice.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Collection
from functools import cached_property
from threading import Event, Lock, Thread
from typing import Any

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, connection

from jobs.log_level import LogLevel
from jobs.message import FencedJob
from jobs.worker.outcome import storable

logger = logging.getLogger(__name__)

MAX_BYTES = 8192  # of one line
MORE = "This line and those after it are not kept; a job has room for {}."
_EVERY_SECONDS = 0.5
_PATIENCE_SECONDS = 2.0  # at the end of the attempt, for the thread
_Line = tuple[float, str, str]  # of the monotonic clock, level, text


class LogLines:
    """The lines of one attempt. `add` may be called in any thread of the job's code; the signals
    that raise inside that code find no lock here that they could leave closed."""

    def __init__(
        self, held: FencedJob, attempt: int, secrets: Callable[[], Collection[str]]
    ) -> None:
        self._held, self._attempt, self._find_secrets = held, attempt, secrets
        self._most = settings.JOB_LOG_LINES
        self._accepted = 0
        self._waiting: deque[_Line] = deque()
        self._unwritten: list[_Line] = []  # these three are for whoever holds `_writing`
        self._kept: int | None = 0 if attempt == 1 else None
        self._writing = Lock()
        self._thread: Thread | None = None
        self._over = Event()

    def add(self, level: LogLevel, text: str) -> None:
        """Write a line to the process's log, and have it kept. Nothing is waited for."""
        shown = cut(storable(text, self._secrets))
        logger.log(level.number, "%s", shown, extra={"job_id": self._held.id})
        if self._accepted < self._most > (self._kept or 0):
            self._accepted += 1
            self._waiting.append((time.monotonic(), level.value, shown))
            self._start()

    def finish(self) -> None:
        """Write what is left, if the database takes it at once. The job's code has ended."""
        self._over.set()
        if self._waiting or self._unwritten:
            if self._writing.acquire(timeout=_PATIENCE_SECONDS):
                try:
                    if not self._write():
                        self._write()  # the first may have met a connection that was dead
                finally:
                    self._writing.release()
            if self._waiting or self._unwritten:
                text = "job %s: its last lines could not be kept"
                logger.warning(text, self._held.id, extra={"job_id": self._held.id})
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(_PATIENCE_SECONDS)

    @cached_property
    def _secrets(self) -> Collection[str]:
        return self._find_secrets()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._write_at_times, name="log-lines", daemon=True)
            self._thread.start()

    def _write_at_times(self) -> None:
        try:
            while not self._over.wait(_EVERY_SECONDS):
                with self._writing:
                    self._write()
        finally:
            connection.close()  # connections belong to threads

    def _write(self) -> bool:
        """Write all that waits; False where the database is away, and they wait on."""
        while self._waiting:
            self._unwritten.append(self._waiting.popleft())
        try:
            if self._unwritten:
                self._insert()
        except (OperationalError, InterfaceError):
            connection.close()
            return False
        except Error:
            text = "job %s: the database does not take its lines"
            logger.exception(text, self._held.id, extra={"job_id": self._held.id})
        self._unwritten.clear()
        return True

    def _insert(self) -> None:
        if self._kept is None:
            self._kept = kept_lines(self._held)
        lines = self._within_the_limit(self._kept)
        if lines and not insert(self._held, self._attempt, lines):
            self._kept = self._most  # the job is somebody else's
        else:
            self._kept += len(lines)

    def _within_the_limit(self, kept: int) -> list[_Line]:
        """Those for which there is room, the last of which says that there were more."""
        room = self._most - kept
        if len(self._unwritten) < room:
            return self._unwritten
        more = MORE.format(f"{self._most:,}")
        told = [(time.monotonic(), LogLevel.WARNING.value, more)]
        return [*self._unwritten[: room - 1], *told] if room > 0 else []


def cut(text: str) -> str:
    """The beginning of it, where it is longer than a line may be."""
    if len(text) * 4 <= MAX_BYTES or len(packed := text.encode()) <= MAX_BYTES:
        return text
    return packed[: MAX_BYTES - 3].decode(errors="ignore") + "…"


# Raw SQL: the ORM has no INSERT … SELECT, which asks for the fence and counts time by the
# database's clock in the one statement. What is lost in a crash of the database is no loss, so the
# commit need not wait for the disk.
_INSERT = """
    INSERT INTO jobs_logline (job_id, attempt, at, level, message)
    SELECT job.id, %(attempt)s, clock_timestamp() - line.age * interval '1 second',
           line.level, line.message
      FROM jobs_job AS job,
           unnest(%(ages)s::float[], %(levels)s::text[], %(messages)s::text[])
           WITH ORDINALITY AS line(age, level, message, place)
     WHERE job.id = %(id)s AND job.fence = %(fence)s AND job.status = 'processing'
       AND (SELECT set_config('synchronous_commit', 'off', true)
                || set_config('lock_timeout', '2s', true)) IS NOT NULL
     ORDER BY line.place
"""


def insert(held: FencedJob, attempt: int, lines: Collection[_Line]) -> bool:
    """Keep these lines in their order; False where the attempt has lost its job."""
    now = time.monotonic()
    moments, levels, messages = zip(*lines, strict=True)
    parameters: dict[str, Any] = {
        "id": held.id,
        "fence": held.fence,
        "attempt": attempt,
        "ages": [now - at for at in moments],
        "levels": list(levels),
        "messages": list(messages),
    }
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, parameters)
        return bool(cursor.rowcount)


def kept_lines(held: FencedJob) -> int:
    """How many lines earlier attempts left."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM jobs_logline WHERE job_id = %s", [held.id])
        return int(cursor.fetchone()[0])
