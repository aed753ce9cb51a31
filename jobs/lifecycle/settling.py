"""What becomes of jobs that waited for others which have now ended: they are opened, or end in
turn, as their edges say.

1. Read whom the ended ones touch: who waits for them, and where that ends a job, who waits for it
   in turn. One statement, however long the chain.
2. Lock these jobs, in the order of their ids. Of two dependencies that end at the same moment the
   second then sees the first one's edge settled, and opens the job.
3. With the locks held: end those that are to end, settle the edges, open what waits for no more.

A job that cannot be moved keeps its edges open: the dispatcher's sweep comes back to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from jobs import fingerprint
from jobs.lifecycle.announcing import tell
from jobs.lifecycle.batches import MOST_REFUSED, Batches
from jobs.lifecycle.statement import Move, json, move, moving, run
from jobs.models import OnFailure
from jobs.states import FINAL

CHUNK = 1000  # jobs touched by one transaction; their locks are held until it ends

# LATERAL with LIMIT or OFFSET keeps each look-up one in an index. Left to itself the planner may
# join with the whole table, in each round of the recursion.
_TOUCHED = """
    WITH RECURSIVE touched (job_id, verdict) AS (
        SELECT edge.job_id,
               CASE WHEN ended.status = 'completed' THEN 'run' ELSE edge.on_failure END
          FROM jobs_dependency AS edge
         CROSS JOIN LATERAL (
               SELECT status FROM jobs_job
                WHERE id = edge.depends_on_id AND status IN ('completed', 'failed', 'cancelled')
                LIMIT 1) AS ended
         WHERE edge.depends_on_id = ANY(%(ended)s) AND edge.settled_at IS NULL
           AND edge.job_id <> ALL(%(refused)s)
           AND (%(within)s::uuid[] IS NULL OR edge.job_id = ANY(%(within)s::uuid[]))
        UNION
        SELECT edge.job_id, edge.on_failure
          FROM touched
         CROSS JOIN LATERAL (
               SELECT FROM jobs_job
                WHERE id = touched.job_id AND status = 'blocked' LIMIT 1) AS waits
         CROSS JOIN LATERAL (
               SELECT job_id, on_failure FROM jobs_dependency
                WHERE depends_on_id = touched.job_id AND settled_at IS NULL OFFSET 0) AS edge
         WHERE touched.verdict <> 'run' AND edge.job_id <> ALL(%(refused)s)
           AND (%(within)s::uuid[] IS NULL OR edge.job_id = ANY(%(within)s::uuid[])))
    SELECT job_id, verdict FROM touched LIMIT %(limit)s
"""
_LOCK = "SELECT id FROM jobs_job WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE"
# By the job that is waited for, never by the one that waits: of a job with ten thousand
# dependencies the end of each costs the same.
_SETTLE_EDGES = """
    UPDATE jobs_dependency AS edge SET settled_at = clock_timestamp()
     WHERE edge.settled_at IS NULL AND edge.id = ANY (ARRAY(
           SELECT open.id
             FROM (SELECT id, job_id, depends_on_id FROM jobs_dependency
                    WHERE depends_on_id = ANY(%(ended)s) AND settled_at IS NULL OFFSET 0) AS open
            CROSS JOIN LATERAL (
                  SELECT FROM jobs_job
                   WHERE id = open.depends_on_id
                     AND status IN ('completed', 'failed', 'cancelled') LIMIT 1) AS ended
            WHERE open.job_id = ANY(%(ids)s)))
    RETURNING edge.job_id
"""
_STILL_OPEN = """
    SELECT DISTINCT depends_on_id FROM jobs_dependency
     WHERE depends_on_id = ANY(%(ended)s) AND settled_at IS NULL
"""
_DEPENDENCY_FAILED = {
    "type": "dependency_failed",
    "message": "A job that this one waited for did not complete.",
    "details": {},
}
_OPEN = moving(
    "settle",
    sets="""status = CASE WHEN job.run_at > clock_timestamp() THEN 'scheduled' ELSE 'queued' END,
            visible_at = CASE WHEN job.run_at > clock_timestamp() THEN job.run_at END,
            queued_at = clock_timestamp(),
            fence = job.fence + 1""",
    where="""job.id = ANY(%(ids)s) AND NOT EXISTS (
                 SELECT 1 FROM jobs_dependency edge
                  WHERE edge.job_id = job.id AND edge.settled_at IS NULL)""",
)
_FAIL_WITH_DEPENDENCY = moving(
    "settle",
    sets=f"""status = 'failed', completed_at = clock_timestamp(), error = %(error)s,
            fingerprint = {fingerprint.SQL}, visible_at = NULL, fence = job.fence + 1""",
    where="job.id = ANY(%(ids)s)",
)
_CANCEL_WITH_DEPENDENCY = moving(
    "settle",
    sets="""status = 'cancelled', cancelled_at = clock_timestamp(), cancelled_by = 'dependency',
            visible_at = NULL, fence = job.fence + 1""",
    where="job.id = ANY(%(ids)s)",
)
_settlements = Batches("settle")


def settle_some(ended: Sequence[UUID]) -> tuple[list[Move], list[UUID]]:
    """Settle what waits for these jobs, at most CHUNK dependants in this transaction.

    Returns the moves, and the ended jobs for which more may wait: nothing if that was all, or if
    a receiver fails for so many jobs that going on at once would only be more of the same.
    """
    touched = _touched(ended, refused=_settlements.refused(), limit=CHUNK)
    ids = list(dict.fromkeys(job_id for job_id, _ in touched))
    if not ids:
        return [], []
    run(_LOCK, ids=ids)
    ends = any(verdict != OnFailure.RUN for _, verdict in touched)
    moves = _settlements.move(ids, partial(_settle, list(ended), ids, ends))
    if len(touched) < CHUNK or len(_settlements.refused()) >= MOST_REFUSED:
        return moves, []
    return moves, [*ended, *(moved.id for moved in moves if moved.status in FINAL)]


def still_open(ended: Sequence[UUID]) -> list[UUID]:
    """Those of these jobs for which somebody still waits."""
    return [row[0] for row in run(_STILL_OPEN, ended=list(ended))]


def _touched(
    ended: Sequence[UUID],
    *,
    refused: Sequence[UUID] = (),
    within: Sequence[UUID] | None = None,
    limit: int | None = None,
) -> list[tuple[UUID, str]]:
    rows = run(
        _TOUCHED,
        ended=list(ended),
        refused=list(refused),
        within=None if within is None else list(within),
        limit=limit,
    )
    return [(job_id, verdict) for job_id, verdict in rows]


def _settle(ended: list[UUID], together: list[UUID], ends: bool, ids: list[UUID]) -> list[Move]:
    """Step 3 for `ids`, which may be a part of those locked together; of the others some may have
    ended just now."""
    causes = ended if len(ids) == len(together) else [*ended, *together]
    gone = _end(_touched(causes, within=ids)) if ends else []
    causes = [*causes, *(moved.id for moved in gone)]
    waiting = {row[0] for row in run(_SETTLE_EDGES, ended=causes, ids=ids)}
    waiting -= {moved.id for moved in gone}
    moves = gone + (move(_OPEN, ids=list(waiting)) if waiting else [])
    tell(moves, "settle")
    return moves


def _end(touched: Sequence[tuple[UUID, str]]) -> list[Move]:
    """End the jobs whose edges say so; where they disagree, as failed."""
    failing = {job_id for job_id, verdict in touched if verdict == OnFailure.FAIL}
    leaving = {job_id for job_id, verdict in touched if verdict == OnFailure.CANCEL} - failing
    moves: list[Move] = []
    if failing:
        error: Mapping[str, Any] = _DEPENDENCY_FAILED
        cause = fingerprint.cause_of(error)
        moves += move(_FAIL_WITH_DEPENDENCY, ids=list(failing), error=json(error), cause=cause)
    if leaving:
        moves += move(_CANCEL_WITH_DEPENDENCY, ids=list(leaving))
    return moves
