"""A worker's execution without the worker: no signals, no lease to renew, nothing throttled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

from django.db import connection
from psycopg.pq import TransactionStatus

from jobs import lifecycle
from jobs.context import JobContext
from jobs.control import LeaseLost
from jobs.exceptions import AttemptLost
from jobs.lifecycle import ClaimedJob
from jobs.message import FencedJob
from jobs.models import Job
from jobs.worker.execution import Execution
from jobs.worker.gate import Gate
from jobs.worker.identity import WorkerIdentity
from jobs.worker.outcome import storable
from jobs.worker.slots import Slots


class InlineExecution(Execution):
    def __init__(self, identity: WorkerIdentity) -> None:
        super().__init__(identity, Slots(1).slot(0), cast(Gate, OpenGate()))

    def _context(self, job: ClaimedJob, started: float) -> JobContext:
        return replace(super()._context(job, started), reporter=InlineReporter(job.held))


class OpenGate:
    """Lets job code run without signals: those are the test runner's. So a timeout ends nothing."""

    def install(self) -> None: ...

    @contextmanager
    def job_code(self, *, times_out_at: float) -> Iterator[None]:
        """Inside a test's transaction the database takes no statement after one that it refused;
        a worker has no such transaction. Then what the job's code wrote is undone, and its outcome
        can be."""
        savepoint = connection.savepoint() if connection.in_atomic_block else None
        try:
            yield
        finally:
            if savepoint is not None and _is_broken():
                connection.needs_rollback = False  # else Django would refuse this statement too
                connection.savepoint_rollback(savepoint)


def _is_broken() -> bool:
    raw = connection.connection
    refused = raw is not None and raw.info.transaction_status == TransactionStatus.INERROR
    return refused or connection.needs_rollback


class InlineReporter:
    """Writes each word at once, into the test's transaction too."""

    def __init__(self, held: FencedJob) -> None:
        self._held = held

    def progress(self, percent: float, message: str) -> None:
        if _is_broken():
            return
        try:
            lifecycle.progress(self._held, percent=int(percent), message=storable(message)[:500])
        except AttemptLost as error:
            raise LeaseLost from error

    def cancel_requested(self) -> bool:
        asked = Job.objects.filter(pk=self._held.id, cancel_requested_at__isnull=False)
        return asked.exists()
