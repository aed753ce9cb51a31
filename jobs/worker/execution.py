"""One attempt, from its message to its outcome: claim, run, classify, write.

claim      the row says whether there is anything to do
run        the job's code, with no transaction open
classify   a pure function from return value or exception to an outcome
write      one fenced transaction; repeated on a new connection until the lease's deadline
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from random import SystemRandom
from typing import Any

from django.db import connection
from structlog.contextvars import bind_contextvars, reset_contextvars

from accounts.ids import new_id
from jobs import lifecycle, registry, step_results
from jobs.backoff import Backoff
from jobs.context import JobContext
from jobs.exceptions import AttemptLost, InvalidPayload, UnknownJobType
from jobs.job_type import JobType
from jobs.lifecycle import ClaimedJob
from jobs.message import FencedJob
from jobs.step_results import ResultMissing, ResultsTooLarge, ResultUnreadable
from jobs.worker import outcome as outcomes
from jobs.worker.gate import Gate
from jobs.worker.identity import WorkerIdentity
from jobs.worker.learning import learn
from jobs.worker.log_lines import LogLines
from jobs.worker.outcome import Failed, Outcome, RetryPolicy
from jobs.worker.persisting import DATABASE_AWAY, persistently
from jobs.worker.recording import landed, record, told
from jobs.worker.reporter import Reporter
from jobs.worker.returned import Large, kept
from jobs.worker.revealing import Secrets, lazily_revealed
from jobs.worker.slots import Slot
from jobs.worker.transactions import open_transactions, roll_back_all_but
from jobs.workflows.resolving import with_results

logger = logging.getLogger(__name__)

_CLAIM_PATIENCE_SECONDS = 10.0
_WATCHDOG_SECONDS = 5.0  # more than it ever needs to act
_LATE = {
    "type": "released",
    "message": "The claim took as long as the lease that it was for.",
    "details": {},
}
_random = SystemRandom()


class Execution:
    """Runs jobs in one child (or thread) of a worker."""

    def __init__(self, identity: WorkerIdentity, slot: Slot, gate: Gate) -> None:
        self._identity = identity
        self._slot = slot
        self._gate = gate

    def run(self, sent: FencedJob) -> None:
        """Run the job if this message still has a claim to it. Never raises for the job's sake."""
        claimed, deadline = self._claim(sent)
        if claimed is None:
            logger.info("job %s: nothing to claim with fence %s", *sent, extra={"job_id": sent.id})
            return
        if time.monotonic() >= deadline:  # the watchdog would end this process at once
            logger.warning("job %s: the claim came too late", sent.id, extra={"job_id": sent.id})
            lease_ends = deadline + self._identity.lease_margin
            self._write(claimed, outcomes.Released(error=_LATE), until=lambda: lease_ends)
            return
        self._slot.start(pid=os.getpid(), job=claimed.held, deadline=deadline)
        bound = bind_contextvars(
            job_id=claimed.id,
            job_type=claimed.type,
            attempt=claimed.attempt,
            tenant=claimed.tenant,
        )  # every line logged meanwhile carries them, those of the job's code too
        try:
            # Past the deadline the watchdog ends this process, and the main gives the job back
            # as one that did not crash. Giving up any sooner would leave it to be rescued.
            outcome = self._attempt(claimed)
            self._slot.begin_writing()
            self._write(claimed, outcome, until=lambda: self._slot.deadline + _WATCHDOG_SECONDS)
        finally:
            self._slot.end()
            reset_contextvars(**bound)

    def _claim(self, sent: FencedJob) -> tuple[ClaimedJob | None, float]:
        """The job, and the moment (of the monotonic clock) until which its code may run. That
        counts from before the lease did, but not from before there was a connection to ask on:
        where many are made at once, that takes its time."""
        claim_id = new_id()
        first_asked_at = asked_at = time.monotonic()

        def claim(again: bool) -> ClaimedJob | None:
            nonlocal first_asked_at, asked_at
            connection.close_if_health_check_failed()
            connection.ensure_connection()
            if again and (before := lifecycle.claimed_before(sent, claim_id=claim_id)):
                asked_at = first_asked_at  # whichever try it was
                return before
            asked_at = time.monotonic()
            if not again:
                first_asked_at = asked_at
            return lifecycle.claim(
                sent,
                worker=self._identity.name,
                incarnation=self._identity.incarnation,
                lease_seconds=self._identity.lease_seconds,
                claim_id=claim_id,
            )

        patience = time.monotonic() + _CLAIM_PATIENCE_SECONDS
        claimed = None
        try:
            claimed = persistently(claim, until=lambda: patience)
        except DATABASE_AWAY:
            text = "job %s: no database to claim it from; it will be sent again"
            logger.warning(text, sent.id, extra={"job_id": sent.id})
        return claimed, asked_at + self._identity.lease_seconds - self._identity.lease_margin

    def _attempt(self, job: ClaimedJob) -> Outcome:
        """Run the job's code and say what came of it, whatever it did."""
        try:
            job_type = registry.get(job.type)
            payload = self._with_results(job, job_type) if job.workflow_id else job.payload
            arguments = job_type.arguments(payload)
            return self._run_code(job, job_type, arguments)
        except ResultMissing as error:  # it does not come back
            return Failed(error=_error("result_missing", outcomes.storable(str(error))))
        except DATABASE_AWAY as error:
            return outcomes.Released(error=outcomes.described(error))
        except ResultUnreadable as error:
            policy = policy_of(registry.get(job.type), job)
            told = _error("result_unreadable", str(error))
            return outcomes.retried(told, policy, random=_random)
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
        secrets = lazily_revealed(arguments)
        lines = self._log_lines(job, secrets)
        try:
            return self._judged(job, job_type, arguments, lines, secrets)
        finally:
            lines.finish()

    def _log_lines(self, job: ClaimedJob, secrets: Secrets) -> LogLines:
        return LogLines(job.held, job.attempt, secrets)

    def _judged(
        self,
        job: ClaimedJob,
        job_type: JobType[..., Any],
        arguments: dict[str, Any],
        lines: LogLines,
        secrets: Secrets,
    ) -> Outcome:
        started, open_before = time.monotonic(), open_transactions()
        self._gate.install()
        try:
            with self._gate.job_code(times_out_at=started + job.timeout_seconds):
                context = self._context(job, started, lines, secrets)
                result = job_type.function(context, **arguments)
        except BaseException as exception:  # noqa: BLE001 (whatever job code raises is an outcome)
            roll_back_all_but(open_before)
            policy = policy_of(job_type, job)
            return outcomes.classify(exception, policy, random=_random, secrets=secrets())
        if roll_back_all_but(open_before):
            message = "The job's code left a transaction open; what it wrote there is undone."
            return Failed(error=_error("transaction_left_open", message))
        returned = kept(result, secrets)
        if isinstance(returned, Large):
            return self._stored(job, job_type, returned, started + job.timeout_seconds)
        return returned

    def _stored(
        self, job: ClaimedJob, job_type: JobType[..., Any], large: Large, times_out_at: float
    ) -> Outcome:
        """Put a large result into the storage; the attempt may be ended meanwhile, as its code."""
        policy = policy_of(job_type, job)
        try:
            with self._gate.job_code(times_out_at=times_out_at):
                return large.stored()
        except OSError:
            logger.exception("job %s: its result cannot be stored", job.id)
            message = "The result is too large for the job's row, and the storage did not take it."
            error = _error("result_unstorable", message)
            return outcomes.retried(error, policy, random=_random)
        except BaseException as exception:  # noqa: BLE001 (as above)
            return outcomes.classify(exception, policy, random=_random)

    def _context(
        self, job: ClaimedJob, started: float, lines: LogLines, secrets: Secrets
    ) -> JobContext:
        return JobContext(
            job_id=job.id,
            attempt_id=f"{job.id}:{job.fence}",
            attempt=job.attempt,
            retry_count=job.retry_count,
            max_retries=job.max_retries,
            tenant=job.tenant,
            owner=job.owner or None,
            labels=job.labels,
            scheduled_for=job.scheduled_for,
            deadline=started + job.timeout_seconds,
            reporter=Reporter(job.held, self._slot, secrets, self._gate.ask),
            add_line=lines.add,
        )

    def _write(self, job: ClaimedJob, outcome: Outcome, *, until: Callable[[], float]) -> None:
        try:
            self._write_persistently(job, outcome, until)
            learn(job.id, job.type, outcome)
        except AttemptLost:
            self._identity.count_refused_write()
            logger.warning("job %s: attempt with fence %s lost its job", job.id, job.fence)
        except DATABASE_AWAY:
            logger.warning("job %s: the lease ended before its outcome could be kept", job.id)

    def _write_persistently(
        self, job: ClaimedJob, outcome: Outcome, until: Callable[[], float]
    ) -> None:
        """Write the outcome, or where the database refuses its content, that it was refused."""

        def write(again: bool) -> None:
            try:
                record(job.held, outcome)
            except AttemptLost:
                if not (again and landed(job.held)):
                    raise

        try:
            persistently(write, until=until)
            said = (job.id, job.type, job.attempt, told(outcome))
            fields = {"outcome": type(outcome).__name__}
            logger.info("job %s (%s) attempt %s: %s", *said, extra=fields)
        except (AttemptLost, *DATABASE_AWAY):
            raise
        except Exception as error:
            logger.exception("job %s: its outcome cannot be written", job.id)
            refusal = f"The outcome could not be written: {type(error).__name__}."
            record(job.held, Failed(error=_error("outcome_unwritable", refusal)))


def policy_of(job_type: JobType[..., Any], job: ClaimedJob) -> RetryPolicy:
    return RetryPolicy(
        backoff=Backoff(**job.retry_backoff) if job.retry_backoff else job_type.backoff,
        retry_count=job.retry_count,
        max_retries=job.max_retries,
        autoretry_for=job_type.autoretry_for,
        dont_autoretry_for=job_type.dont_autoretry_for,
    )


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": kind, "message": message, "details": {}}


def _unfit(error: Exception, job: ClaimedJob) -> dict[str, Any]:
    """The code changed since the job was accepted; or the results of earlier steps do not fit."""
    with_results = job.workflow_id and step_results.is_referring(job.payload)
    kind = "payload_invalid" if with_results else "payload_outdated"
    return _error(kind, outcomes.storable(str(error)))
