"""Jobs that run by themselves as soon as they are committed, in the process that hands them in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import transaction

from jobs.lifecycle import Move
from jobs.models import Job
from jobs.signals import job_moved
from jobs.states import Status
from jobs.testing.running import CannotRun, run_ready


@contextmanager
def inline(*, limit: int = 1000) -> Iterator[None]:
    """Inside, a job that becomes ready runs when the transaction commits that made it so.

    Where a test's own transaction surrounds the block, which never commits, jobs run at the end of
    the block. Jobs that jobs hand in run after them. What waits for its time goes on waiting.
    Raises CannotRun after `limit` attempts.
    """
    waiting = _Waiting(limit)
    job_moved.connect(waiting.receive, sender=Job, weak=False)
    try:
        yield
        waiting.run()
    finally:
        job_moved.disconnect(waiting.receive, sender=Job)


class _Waiting:
    def __init__(self, limit: int) -> None:
        self._left = limit
        self._ids: dict[UUID, None] = {}  # in order
        self._runs = False

    def receive(self, *, moves: list[Move], **_: Any) -> None:
        ready = [moved.id for moved in moves if moved.status == Status.QUEUED]
        if ready:
            self._ids |= dict.fromkeys(ready)
            transaction.on_commit(self._committed)

    def _committed(self) -> None:
        """Not from inside a job's code: a worker would not begin there either."""
        if not self._runs:
            self.run()

    def run(self) -> None:
        """Those that were rolled back are not there; those that somebody ran are not ready."""
        self._runs = True
        try:
            while self._ids:
                job_id = next(iter(self._ids))
                del self._ids[job_id]
                if job := Job.objects.ready().filter(pk=job_id).first():
                    self._count(job)
                    run_ready(job)
        finally:
            self._runs = False

    def _count(self, job: Job) -> None:
        if not self._left:
            raise CannotRun(f"There is still work, after as many attempts as allowed: {job}.")
        self._left -= 1
