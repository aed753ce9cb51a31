"""Ends, in the main process, an attempt whose child can no longer speak for itself.

All are fenced: where the child wrote its outcome with its last breath, or somebody took the job,
they change nothing.
"""

from __future__ import annotations

import logging
from random import SystemRandom
from typing import Any

from django.conf import settings

from jobs import lifecycle, registry
from jobs.backoff import Backoff
from jobs.exceptions import AttemptLost, UnknownJobType
from jobs.message import FencedJob
from jobs.models import Job
from jobs.worker.learning import learn
from jobs.worker.outcome import RetryLater, RetryPolicy, retried

logger = logging.getLogger(__name__)
_random = SystemRandom()

_TIMED_OUT = {
    "type": "TimedOut",
    "message": "The attempt ran longer than the job's timeout and was ended.",
    "details": {},
}


def crashed(held: FencedJob) -> None:
    """The child died while it had this message."""
    error = _error("worker_lost", "The process that ran the job died.")
    try:
        moved = lifecycle.lose(held, crash_limit=settings.CRASH_LIMIT, error=error)
        text = "job %s: its process died, now %s"
        logger.warning(text, held.id, moved.status.value, extra={"job_id": held.id})
    except AttemptLost:
        lifecycle.withdraw([held])  # it died before the claim: only the message is lost


def gave_up(held: FencedJob, why: str) -> None:
    """The attempt was ended for no fault of the job."""
    try:
        lifecycle.release(held, error=_error("released", why))
        logger.info("job %s: given back (%s)", held.id, why, extra={"job_id": held.id})
    except AttemptLost:
        lifecycle.withdraw([held])


def cancelled(held: FencedJob) -> None:
    """The child was killed because the job's code did not listen to a cancel."""
    try:
        lifecycle.confirm_cancel(held, by="")
        text = "job %s: did not listen to its cancel and was ended"
        logger.info(text, held.id, extra={"job_id": held.id})
    except AttemptLost:
        return


def timed_out(held: FencedJob) -> None:
    """The hard time limit ended the child; that spends a retry."""
    job = Job.objects.filter(pk=held.id, fence=held.fence).first()
    if job is None:
        return
    outcome = retried(_TIMED_OUT, _policy(job), random=_random)
    try:
        if isinstance(outcome, RetryLater):
            lifecycle.retry_later(held, delay_seconds=outcome.delay_seconds, error=outcome.error)
        else:
            lifecycle.fail(held, error=outcome.error)
        learn(job.pk, job.type, outcome)
    except AttemptLost:
        return


def _policy(job: Job) -> RetryPolicy:
    try:
        backoff = registry.get(job.type).backoff
    except UnknownJobType:
        backoff = Backoff()
    if job.retry_backoff:
        backoff = Backoff(**job.retry_backoff)
    return RetryPolicy(backoff=backoff, retry_count=job.retry_count, max_retries=job.max_retries)


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": kind, "message": message, "details": {}}
