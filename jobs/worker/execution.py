"""One attempt, from its message to its outcome: claim, run, classify, write.

claim      the row says whether there is anything to do
run        the job's code, with no transaction open
classify   a pure function from return value or exception to an outcome
write      one fenced transaction; repeated on a new connection until the lease's deadline
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from random import SystemRandom
from typing import Any, TypeVar

from django.db import InterfaceError, InternalError, OperationalError, connection
from psycopg.errors import IdleInTransactionSessionTimeout
from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, to_jsonable_python
from structlog.contextvars import bind_contextvars, reset_contextvars

from accounts.ids import new_id
from jobs import lifecycle, registry, step_results
from jobs.backoff import Backoff
from jobs.context import JobContext
from jobs.exceptions import AttemptLost, InvalidPayload, UnknownJobType
from jobs.job_type import JobType
from jobs.lifecycle import ClaimedJob
from jobs.message import FencedJob
from jobs.secret import Secret
from jobs.step_results import ResultMissing, ResultsTooLarge
from jobs.worker import outcome as outcomes
from jobs.worker.gate import Gate
from jobs.worker.identity import WorkerIdentity
from jobs.worker.learning import learn
from jobs.worker.outcome import Completed, Failed, Outcome, RetryPolicy
from jobs.worker.reporter import Reporter
from jobs.worker.slots import Slot
from jobs.worker.transactions import open_transactions, roll_back_all_but
from jobs.workflows.resolving import with_results

logger = logging.getLogger(__name__)
T = TypeVar("T")

MAX_RESULT_BYTES = 1024 * 1024
_CLAIM_PATIENCE_SECONDS = 10.0
_WATCHDOG_SECONDS = 5.0  # more than it ever needs to act
_DATABASE_AWAY = (OperationalError, InterfaceError)
_random = SystemRandom()


class Execution:
    """Runs jobs in one child (or thread) of a worker."""

    def __init__(self, identity: WorkerIdentity, slot: Slot, gate: Gate) -> None:
        self._identity = identity
        self._slot = slot
        self._gate = gate

    def run(self, sent: FencedJob) -> None:
        """Run the job if this message still has a claim to it. Never raises for the job's sake."""
        asked_at = time.monotonic()
        claimed = self._claim(sent)
        if claimed is None:
            logger.info("job %s: nothing to claim with fence %s", *sent, extra={"job_id": sent.id})
            return
        deadline = asked_at + self._identity.lease_seconds - self._identity.lease_margin
        self._slot.start(pid=os.getpid(), job=claimed.held, deadline=deadline)
        bound = bind_contextvars(
            job_id=claimed.id,
            job_type=claimed.type,
            attempt=claimed.attempt,
            tenant=claimed.tenant,
        )  # every line logged meanwhile carries them, those of the job's code too
        try:
            self._write(claimed, self._attempt(claimed))
        finally:
            self._slot.end()
            reset_contextvars(**bound)

    def _claim(self, sent: FencedJob) -> ClaimedJob | None:
        claim_id = new_id()

        def claim(again: bool) -> ClaimedJob | None:
            before = again and lifecycle.claimed_before(sent, claim_id=claim_id)
            return before or lifecycle.claim(
                sent,
                worker=self._identity.name,
                incarnation=self._identity.incarnation,
                lease_seconds=self._identity.lease_seconds,
                claim_id=claim_id,
            )

        patience = time.monotonic() + _CLAIM_PATIENCE_SECONDS
        try:
            return persistently(claim, until=lambda: patience)
        except _DATABASE_AWAY:
            text = "job %s: no database to claim it from; it will be sent again"
            logger.warning(text, sent.id, extra={"job_id": sent.id})
            return None

    def _attempt(self, job: ClaimedJob) -> Outcome:
        """Run the job's code and say what came of it, whatever it did."""
        try:
            job_type = registry.get(job.type)
            payload = self._with_results(job, job_type) if job.workflow_id else job.payload
            arguments = job_type.arguments(payload)
            return self._run_code(job, job_type, arguments)
        except ResultMissing as error:  # it does not come back
            return Failed(error=_error("result_missing", outcomes.storable(str(error))))
        except _DATABASE_AWAY as error:
            return outcomes.Released(error=outcomes.described(error))
        except (UnknownJobType, InvalidPayload, ResultsTooLarge) as error:
            return Failed(error=_unfit(error, job))
        except Exception as error:  # noqa: BLE001 (a result that cannot be read, memory used up)
            return Failed(error=outcomes.described(error))

    def _with_results(self, job: ClaimedJob, job_type: JobType[..., Any]) -> dict[str, Any]:
        """The payload with the results of earlier steps in it."""
        return persistently(
            lambda again: with_results(job.id, job_type, job.payload),
            until=lambda: self._slot.deadline,
        )

    def _run_code(
        self, job: ClaimedJob, job_type: JobType[..., Any], arguments: dict[str, Any]
    ) -> Outcome:
        started, open_before = time.monotonic(), open_transactions()
        self._gate.install()
        try:
            with self._gate.job_code(times_out_at=started + job.timeout_seconds):
                result = job_type.function(self._context(job, started), **arguments)
        except BaseException as exception:  # noqa: BLE001 (whatever job code raises is an outcome)
            roll_back_all_but(open_before)
            return outcomes.classify(
                exception,
                policy_of(job_type, job),
                random=_random,
                secrets=revealed(arguments),
            )
        if roll_back_all_but(open_before):
            message = "The job's code left a transaction open; what it wrote there is undone."
            return Failed(error=_error("transaction_left_open", message))
        return kept(result)

    def _context(self, job: ClaimedJob, started: float) -> JobContext:
        return JobContext(
            job_id=job.id,
            attempt_id=f"{job.id}:{job.fence}",
            attempt=job.attempt,
            retry_count=job.retry_count,
            max_retries=job.max_retries,
            tenant=job.tenant,
            owner=job.owner or None,
            labels=job.labels,
            deadline=started + job.timeout_seconds,
            reporter=Reporter(job.held, self._slot),
        )

    def _write(self, job: ClaimedJob, outcome: Outcome) -> None:
        try:
            self._write_persistently(job, outcome)
            learn(job.id, job.type, outcome)
        except AttemptLost:
            self._identity.count_refused_write()
            logger.warning("job %s: attempt with fence %s lost its job", job.id, job.fence)
        except _DATABASE_AWAY:
            logger.warning("job %s: the lease ended before its outcome could be kept", job.id)

    def _write_persistently(self, job: ClaimedJob, outcome: Outcome) -> None:
        """Write the outcome, or where the database refuses its content, that it was refused."""

        def write(again: bool) -> None:
            try:
                record(job.held, outcome)
            except AttemptLost:
                if not (again and landed(job.held)):
                    raise

        try:
            # Past the deadline the watchdog ends this process, and the main gives the job back
            # as one that did not crash. Giving up any sooner would leave it to be rescued.
            persistently(write, until=lambda: self._slot.deadline + _WATCHDOG_SECONDS)
            said = (job.id, job.type, job.attempt, told(outcome))
            fields = {"outcome": type(outcome).__name__}
            logger.info("job %s (%s) attempt %s: %s", *said, extra=fields)
        except (AttemptLost, *_DATABASE_AWAY):
            raise
        except Exception as error:
            logger.exception("job %s: its outcome cannot be written", job.id)
            refusal = f"The outcome could not be written: {type(error).__name__}."
            record(job.held, Failed(error=_error("outcome_unwritable", refusal)))


def persistently(step: Callable[[bool], T], *, until: Callable[[], float]) -> T:
    """Do a database step; when its connection breaks, again on a new one until `until()`, which
    may move meanwhile.

    `step` is told whether an earlier try may have been committed without our knowing.
    """
    again, pause = False, 0.05
    while True:
        try:
            return step(again)
        except (*_DATABASE_AWAY, InternalError) as error:
            if not is_away(error):
                raise
            connection.close()
            if time.monotonic() + pause > until():
                raise
        again = True
        time.sleep(pause)
        pause = min(pause * 2, 1.0)


def is_away(error: Exception) -> bool:
    """Whether the connection broke. The server's end of an idle transaction, which a process meets
    that was frozen in it, comes as an InternalError."""
    return isinstance(error, _DATABASE_AWAY) or isinstance(
        error.__cause__, IdleInTransactionSessionTimeout
    )


def record(held: FencedJob, outcome: Outcome) -> None:
    """Write an outcome, fenced. Raises AttemptLost."""
    match outcome:
        case Completed(result=result):
            lifecycle.complete(held, result=result)
        case Failed(error=error):
            lifecycle.fail(held, error=error)
        case outcomes.RetryLater(error=error, delay_seconds=delay):
            lifecycle.retry_later(held, delay_seconds=delay, error=error)
        case outcomes.Snoozed(delay_seconds=delay) | outcomes.Limited(delay_seconds=delay):
            lifecycle.snooze(held, delay_seconds=delay)
        case outcomes.Released(error=error):
            lifecycle.release(held, error=error)
        case outcomes.Cancelled(error=error):
            lifecycle.confirm_cancel(held, by=f"job:{held.id}", error=error)
        case outcomes.Lost():
            raise AttemptLost(job_id=held.id, fence=held.fence)


def told(outcome: Outcome) -> str:
    """An outcome in a few words for the log."""
    match outcome:
        case outcomes.RetryLater(delay_seconds=delay, error=error):
            return f"failed ({error['type']}), again in {delay:.1f} s"
        case Failed(error=error):
            return f"failed ({error['type']})"
        case _:
            return type(outcome).__name__.lower()


_LANDED = """
    SELECT EXISTS (SELECT 1 FROM jobs_job
                    WHERE id = %(id)s AND fence = %(fence)s + 1 AND status = 'completed')
        OR EXISTS (SELECT 1 FROM jobs_attempt
                    WHERE job_id = %(id)s AND fence = %(fence)s AND outcome <> 'lost')
"""


def landed(held: FencedJob) -> bool:
    """Whether an outcome of this attempt is in the database: a COMMIT whose answer was lost."""
    with connection.cursor() as cursor:
        cursor.execute(_LANDED, {"id": held.id, "fence": held.fence})
        return bool(cursor.fetchone()[0])


def policy_of(job_type: JobType[..., Any], job: ClaimedJob) -> RetryPolicy:
    return RetryPolicy(
        backoff=Backoff(**job.retry_backoff) if job.retry_backoff else job_type.backoff,
        retry_count=job.retry_count,
        max_retries=job.max_retries,
        autoretry_for=job_type.autoretry_for,
        dont_autoretry_for=job_type.dont_autoretry_for,
    )


def kept(result: Any) -> Completed | Failed:
    """A return value as JSON, or the failure that it is none."""
    try:
        value = to_jsonable_python(result)
        text = json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (PydanticSerializationError, ValueError, TypeError, RecursionError) as error:
        return Failed(error=outcomes.described(error) | {"type": "result_not_json"})
    if b"\\u0000" in text.replace(b"\\\\", b""):  # as in jobs.payload
        return Failed(error=_error("result_not_json", "The result contains a NUL."))
    if len(text) > MAX_RESULT_BYTES:
        message = f"The result has {len(text)} bytes; {MAX_RESULT_BYTES} are allowed."
        return Failed(error=_error("result_too_large", message))
    return Completed(result=value)


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": kind, "message": message, "details": {}}


def _unfit(error: Exception, job: ClaimedJob) -> dict[str, Any]:
    """The code changed since the job was accepted; or the results of earlier steps do not fit."""
    with_results = job.workflow_id and step_results.is_referring(job.payload)
    kind = "payload_invalid" if with_results else "payload_outdated"
    return _error(kind, outcomes.storable(str(error)))


def revealed(arguments: Any) -> list[str]:
    """The secret texts among the arguments, at any depth, for keeping them out of errors."""
    if isinstance(arguments, Secret):
        text = arguments.reveal()
        return [text] if isinstance(text, str) and text else []
    if isinstance(arguments, BaseModel):
        arguments = dict(arguments)
    if isinstance(arguments, Mapping):
        arguments = arguments.values()
    elif not isinstance(arguments, list | tuple | set | frozenset):
        return []
    return [text for value in arguments for text in revealed(value)]
