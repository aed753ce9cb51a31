"""The way back behind other jobs: a step of a workflow that ended since an earlier one failed waits
for that one's next run."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, transaction

from jobs.exceptions import UniqueKeyTaken
from jobs.lifecycle.following import follow
from jobs.lifecycle.operator import lock
from jobs.lifecycle.statement import Move, change, move, moving
from jobs.models.job import UNIQUE_KEY_INDEX

# A job that has nothing to wait for would be blocked for ever.
_REBLOCK = moving(
    "reblock",
    sets="""
        status = 'blocked', run = job.run + 1, fence = job.fence + 1, retry_count = 0,
        crash_count = 0, progress = 0, progress_message = '', error = NULL, fingerprint = '',
        actual_duration_seconds = NULL, visible_at = NULL, expires_at = NULL, completed_at = NULL,
        cancelled_at = NULL, cancelled_by = '', cancel_requested_at = NULL, discarded_at = NULL,
        worker = ''""",
    where="""job.id = ANY(%(ids)s) AND EXISTS (
        SELECT FROM jobs_dependency AS edge JOIN jobs_job AS other ON other.id = edge.depends_on_id
         WHERE edge.job_id = job.id AND other.status <> 'completed')""",
)
_REOPEN = """
    UPDATE jobs_dependency AS edge SET settled_at = NULL
      FROM jobs_job AS other
     WHERE other.id = edge.depends_on_id AND other.status <> 'completed'
       AND edge.job_id = ANY(%(ids)s) AND edge.settled_at IS NOT NULL
"""


def reblock(ids: Sequence[UUID]) -> list[Move]:
    """Failed and cancelled jobs wait again, as a new run with their counters cleared, for those of
    their dependencies that have not completed. One that has no such dependency stays as it was.

    What a dependency does that has ended, and is not run again in the same transaction, is for the
    caller to settle; the dispatcher's sweep would. Raises UniqueKeyTaken; then nothing was moved.
    """
    with transaction.atomic():
        was = lock(ids)
        try:
            moves = move(_REBLOCK, ids=list(ids))
        except IntegrityError as error:
            if UNIQUE_KEY_INDEX not in str(error):
                raise
            raise UniqueKeyTaken() from error
        change(_REOPEN, ids=[moved.id for moved in moves])
        follow([moved._replace(was=was[moved.id]) for moved in moves], "reblock")
    return moves
