"""An outcome, written into the job's row by the verb that it calls for."""

from __future__ import annotations

from django.db import connection

from jobs import lifecycle
from jobs.exceptions import AttemptLost
from jobs.message import FencedJob
from jobs.worker import outcome as outcomes
from jobs.worker.outcome import Completed, Failed, Outcome


def record(held: FencedJob, outcome: Outcome) -> None:
    """Write an outcome, fenced. Raises AttemptLost."""
    match outcome:
        case Completed(result=result, stored=stored):
            lifecycle.complete(held, result=result, stored=stored)
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
