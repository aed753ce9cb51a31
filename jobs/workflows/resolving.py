"""Earlier steps' results, put into a payload when the attempt starts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from json import loads
from typing import Any
from uuid import UUID

from jobs import step_results
from jobs.artifacts import results
from jobs.job_type import JobType
from jobs.lifecycle.statement import run
from jobs.step_results import ResultMissing, ResultsTooLarge, ResultUnreadable

# By the job's own edges: whatever a step refers to it also waits for.
_EARLIER = """
    FROM jobs_dependency AS edge
    JOIN jobs_job AS own ON own.id = edge.job_id
    JOIN jobs_job AS earlier
      ON earlier.id = edge.depends_on_id AND earlier.workflow_id = own.workflow_id
   WHERE edge.job_id = %(id)s AND earlier.status = 'completed' AND earlier.step = ANY(%(steps)s)
"""
_RESULTS = f"SELECT earlier.step, earlier.result {_EARLIER}"
_SIZE = f"SELECT sum(octet_length(earlier.result::text)) {_EARLIER}"
# Those that are too large for their job's row.
_STORED = f"""
    SELECT stored.step, artifact.storage_name, artifact.size
      FROM (SELECT earlier.id, earlier.step {_EARLIER} AND earlier.has_artifacts) AS stored
      JOIN jobs_artifact AS artifact ON artifact.job_id = stored.id AND artifact.kind = 'result'
"""  # noqa: S608 (constants of this module; values travel as parameters)


def with_results(
    job_id: UUID, job_type: JobType[..., Any], payload: Mapping[str, Any]
) -> dict[str, Any]:
    """The payload of a workflow's step with results in the place of references.

    Raises ResultMissing, ResultsTooLarge, ResultUnreadable; and InvalidPayload where the type, as
    it is today, takes a secret or a file there, which no result may stand for.
    """
    _, known, found = step_results.known_part(job_type, payload)
    if not found:
        return known
    steps = {reference.step for references in found.values() for reference in references}
    resolution = step_results.Resolution(_results(job_id, steps))
    return known | {name: resolution.resolved(payload[name]) for name in found}


def _results(job_id: UUID, steps: Collection[str]) -> dict[str, Any]:
    """Weighed before they are sent: they could take the worker's memory."""
    names = {"id": job_id, "steps": list(steps)}
    ((in_rows,),) = run(_SIZE, **names)
    stored = run(_STORED, **names)
    size = (in_rows or 0) + sum(own for _, _, own in stored)
    if size > step_results.MAX_BYTES:
        raise ResultsTooLarge(f"The results that it refers to have {size} bytes.")
    rows = run(_RESULTS, **names)
    found = {step: None if result is None else loads(result) for step, result in rows}
    return found | {step: _read(step, storage_name) for step, storage_name, _ in stored}


def _read(step: str, storage_name: str) -> Any:
    try:
        return results.read(storage_name)
    except FileNotFoundError as error:
        raise ResultMissing(f"The stored result of step {step} is gone.") from error
    except OSError as error:
        raise ResultUnreadable from error
