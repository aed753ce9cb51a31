"""A worker's execution without the worker: no signals, no lease to renew, nothing throttled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import cast
from uuid import UUID

from django.db import connection
from psycopg.pq import TransactionStatus

from jobs import lifecycle
from jobs.context import Content, JobContext
from jobs.control import LeaseLost
from jobs.exceptions import AttemptLost
from jobs.lifecycle import ClaimedJob
from jobs.message import FencedJob
from jobs.models import Job
from jobs.worker.execution import Execution
from jobs.worker.gate import Gate
from jobs.worker.identity import WorkerIdentity
from jobs.worker.log_lines import LogLines
from jobs.worker.reporter import kept_artifact, shown
from jobs.worker.revealing import Secrets
from jobs.worker.slots import Slots


class InlineExecution(Execution):
    def __init__(self, identity: WorkerIdentity) -> None:
        super().__init__(identity, Slots(1).slot(0), cast(Gate, OpenGate()))

    def _context(
        self, job: ClaimedJob, started: float, lines: LogLines, secrets: Secrets
    ) -> JobContext:
        context = super()._context(job, started, lines, secrets)
        return replace(context, reporter=InlineReporter(job.held, secrets))

    def _log_lines(self, job: ClaimedJob, secrets: Secrets) -> LogLines:
        return InlineLogLines(job.held, job.attempt, secrets)


class InlineLogLines(LogLines):
    """Writes them all at the end of the attempt: no thread sees into a test's transaction."""

    def _start(self) -> None: ...


class OpenGate:
    """Lets job code run without signals: those are the test runner's. So a timeout ends nothing."""

    def install(self) -> None: ...

    def ask(self) -> None: ...

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

    def __init__(self, held: FencedJob, secrets: Secrets) -> None:
        self._held = held
        self._secrets = secrets

    def progress(self, percent: float, message: str) -> None:
        if _is_broken():
            return
        try:
            said = shown(message, self._secrets)
            lifecycle.progress(self._held, percent=int(percent), message=said)
        except AttemptLost as error:
            raise LeaseLost from error

    def artifact(self, name: str, content: Content, content_type: str) -> UUID:
        return kept_artifact(self._held, name, content, content_type)

    def cancel_requested(self) -> bool:
        asked = Job.objects.filter(pk=self._held.id, cancel_requested_at__isnull=False)
        return asked.exists()
