"""Earlier steps' results, put into a payload when the attempt starts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from json import loads
from typing import Any
from uuid import UUID

from jobs import step_results
from jobs.job_type import JobType
from jobs.lifecycle.statement import run
from jobs.step_results import ResultsTooLarge

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


def with_results(
    job_id: UUID, job_type: JobType[..., Any], payload: Mapping[str, Any]
) -> dict[str, Any]:
    """The payload of a workflow's step with results in the place of references.

    Raises ResultMissing, ResultsTooLarge; and InvalidPayload where the type, as it is today, takes
    a secret or a file there, which no result may stand for.
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
    ((size,),) = run(_SIZE, **names)
    if (size or 0) > step_results.MAX_BYTES:
        raise ResultsTooLarge(f"The results that it refers to have {size} bytes.")
    rows = run(_RESULTS, **names)
    return {step: None if result is None else loads(result) for step, result in rows}
