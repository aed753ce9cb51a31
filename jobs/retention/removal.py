"""Jobs are removed with everything of theirs, unless work that goes on needs them.

Needed are: a job that an unfinished one waited for; every job of a batch that is not finished; all
jobs of a workflow until the last of them is due and not needed, because its status is what they say
together. So a workflow goes as one unit, whichever of its jobs was asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from jobs.files.shelf import ARTIFACTS
from jobs.lifecycle.statement import bound_waits, run
from jobs.retention.rules import DUE, Rules

logger = logging.getLogger(__name__)

# Raw SQL: the ORM would read every row that it deletes, and has no SKIP LOCKED in a subquery of
# its DELETE. What somebody holds locked, to look after it or to make it wait for, comes another
# time.
_LOCK = f"""
    SELECT job.id FROM jobs_job AS job
     WHERE job.id = ANY(%(ids)s) AND {DUE} ORDER BY job.id FOR UPDATE SKIP LOCKED
"""  # noqa: S608 (constants of this package; values travel as parameters)

_ACTIVE = "('blocked', 'scheduled', 'queued', 'processing')"
UNNEEDED = f"""
    NOT EXISTS (SELECT 1 FROM jobs_dependency AS edge
                  JOIN jobs_job AS other ON other.id = edge.job_id
                 WHERE edge.depends_on_id = job.id
                   AND (edge.settled_at IS NULL OR other.status IN {_ACTIVE}))
    AND NOT EXISTS (SELECT 1 FROM jobs_batch AS batch
                     WHERE batch.id = job.batch_id AND batch.finished_at IS NULL)
"""  # noqa: S608 (as above)
_UNNEEDED = f"""
    SELECT job.id, job.batch_id, job.workflow_id FROM jobs_job AS job
     WHERE job.id = ANY(%(ids)s) AND {UNNEEDED}
"""  # noqa: S608 (as above)
# Of the workflows of these jobs all jobs, each workflow once, if they are all due.
_WHOLE = f"""
    SELECT whole.ids
      FROM (SELECT DISTINCT workflow_id AS id FROM jobs_job
             WHERE id = ANY(%(ids)s) AND workflow_id IS NOT NULL) AS workflow
     CROSS JOIN LATERAL (
           SELECT array_agg(job.id) AS ids FROM jobs_job AS job
            WHERE job.workflow_id = workflow.id
           HAVING NOT EXISTS (SELECT FROM jobs_job AS job
                               WHERE job.workflow_id = workflow.id AND NOT {DUE})) AS whole
"""  # noqa: S608 (as above)
_ALONE = "SELECT id FROM jobs_job WHERE id = ANY(%(ids)s) AND workflow_id IS NULL"
_MOST_TOGETHER = 500  # jobs of several workflows removed in one transaction
_MOST_LINES_TOGETHER = 20_000  # of them, but for those of one workflow
_LINES_AT_ONCE = 5000  # far from what the time-out of a statement allows

_LINES = "SELECT job_id, count(*) FROM jobs_logline WHERE job_id = ANY(%(ids)s) GROUP BY job_id"
_DELETE_LINES = """
    DELETE FROM jobs_logline WHERE id = ANY (ARRAY(
        SELECT id FROM jobs_logline WHERE job_id = ANY(%(ids)s) LIMIT %(most)s))
"""

_DELETE_ARTIFACTS = "DELETE FROM jobs_artifact WHERE job_id = ANY(%(ids)s) RETURNING storage_name"
_DELETE = (
    "DELETE FROM jobs_attempt WHERE job_id = ANY(%(ids)s)",
    "DELETE FROM jobs_dependency WHERE job_id = ANY(%(ids)s)",
    "DELETE FROM jobs_dependency WHERE depends_on_id = ANY(%(ids)s)",
    "DELETE FROM jobs_fileuse WHERE job_id = ANY(%(ids)s)",
    "DELETE FROM jobs_job WHERE id = ANY(%(ids)s)",
)


Unit = Sequence[UUID]  # a job, or all those of a workflow


def remove(ids: Sequence[UUID], rules: Rules) -> int:
    """Remove those of these jobs that are due and that nothing needs, and with them the other jobs
    of their workflows. Returns how many."""
    alone: list[Unit] = [[row[0]] for row in run(_ALONE, ids=list(ids))]
    whole: list[Unit] = [row[0] for row in run(_WHOLE, ids=list(ids), **rules.parameters())]
    return sum(_remove(part, rules) for part in [*_parts(alone), *_parts(whole)])


def _parts(units: Sequence[Unit]) -> Iterator[Sequence[Unit]]:
    lines = dict(run(_LINES, ids=[job_id for unit in units for job_id in unit]))
    part: list[Unit] = []
    jobs = said = 0
    for unit in units:
        more = sum(lines.get(job_id, 0) for job_id in unit)
        if part and (jobs + len(unit) > _MOST_TOGETHER or said + more > _MOST_LINES_TOGETHER):
            yield part
            part, jobs, said = [], 0, 0
        part.append(unit)
        jobs, said = jobs + len(unit), said + more
    if part:
        yield part


def _remove(units: Sequence[Unit], rules: Rules) -> int:
    """An app of the installation may refer to a job; the database then refuses to remove it. So
    that this stops no other, the rest is removed in parts."""
    try:
        return _removed([job_id for unit in units for job_id in unit], rules)
    except IntegrityError as error:
        if len(units) == 1:
            text = "job %s is due, and stays because a row refers to it%s: %s"
            job_id, *others = units[0]
            which = " or to another job of its workflow" if others else ""
            logger.warning(text, job_id, which, error, extra={"job_id": job_id})
            return 0
    middle = len(units) // 2
    return _remove(units[:middle], rules) + _remove(units[middle:], rules)


def _removed(ids: Sequence[UUID], rules: Rules) -> int:
    """In one short transaction.

    It looks whether they are needed after it has locked them: what was committed while the lock
    was asked for, only a new statement sees.
    """
    with transaction.atomic():
        bound_waits()
        locked = [row[0] for row in run(_LOCK, ids=list(ids), **rules.parameters())]
        unneeded = run(_UNNEEDED, ids=locked)
        kept = _kept(unneeded)
        going = [row for row in unneeded if row[2] not in kept]
        if not going:
            return 0
        gone = [job_id for job_id, *_ in going]
        _remove_artifacts(gone)
        _remove_lines(gone)
        for statement in _DELETE:
            _execute(statement, gone)
        remove_empty("jobs_batch", {batch for _, batch, _ in going if batch})
        remove_empty("jobs_workflow", {workflow for *_, workflow in going if workflow})
    return len(going)


def _remove_lines(ids: list[UUID]) -> None:
    """In statements of a bounded size: a job has a thousand, and a workflow many jobs."""
    while _execute(_DELETE_LINES, ids, most=_LINES_AT_ONCE) == _LINES_AT_ONCE:
        pass


def _remove_artifacts(ids: list[UUID]) -> None:
    """Their bytes go after the commit; what a crash leaves of them, the sweep removes."""
    stored = [row[0] for row in run(_DELETE_ARTIFACTS, ids=ids)]
    if stored:
        transaction.on_commit(lambda: ARTIFACTS.remove(stored))


_KEPT_WORKFLOWS = """
    SELECT DISTINCT job.workflow_id FROM jobs_job AS job
     WHERE job.workflow_id = ANY(%(workflows)s) AND NOT job.id = ANY(%(ids)s)
"""


def _kept(unneeded: Sequence[tuple[Any, ...]]) -> set[UUID]:
    """Workflows that have a job which is not among these: needed, or locked by somebody."""
    workflows = list({workflow for *_, workflow in unneeded if workflow})
    if not workflows:
        return set()
    ids = [job_id for job_id, *_ in unneeded]
    return {row[0] for row in run(_KEPT_WORKFLOWS, workflows=workflows, ids=ids)}


_LOCK_GROUPS = {
    "jobs_batch": """SELECT id FROM jobs_batch WHERE id = ANY(%(ids)s)
                        AND finished_at IS NOT NULL ORDER BY id FOR UPDATE SKIP LOCKED""",
    "jobs_workflow": """SELECT id FROM jobs_workflow WHERE id = ANY(%(ids)s)
                         ORDER BY id FOR UPDATE SKIP LOCKED""",
}
_DELETE_GROUPS = {
    "jobs_batch": """DELETE FROM jobs_batch WHERE id = ANY(%(ids)s) AND NOT EXISTS
                        (SELECT 1 FROM jobs_job AS job WHERE job.batch_id = jobs_batch.id)
                     RETURNING id""",
    "jobs_workflow": """DELETE FROM jobs_workflow WHERE id = ANY(%(ids)s) AND NOT EXISTS
                           (SELECT 1 FROM jobs_job AS job
                             WHERE job.workflow_id = jobs_workflow.id)
                        RETURNING id""",
}


def remove_empty(table: str, ids: Collection[UUID]) -> int:
    """Remove those of these batches or workflows that have no job left. Call it in a transaction.

    Where two remove the last jobs of one at the same moment, neither sees it empty; `leftovers`
    finds it.
    """
    if not ids:
        return 0
    locked = [row[0] for row in run(_LOCK_GROUPS[table], ids=list(ids))]
    return len(run(_DELETE_GROUPS[table], ids=locked))


def _execute(statement: str, ids: list[UUID], **bounds: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"ids": ids, **bounds})
        return int(cursor.rowcount)
