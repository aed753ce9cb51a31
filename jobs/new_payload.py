"""Another payload for a job that is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticCustomError

from jobs import payload, registry, secret, step_results
from jobs.exceptions import FieldError, InvalidPayload
from jobs.files import references
from jobs.models import Dependency, Job
from jobs.payload_keys import keys_after
from jobs.step_results import Reference


def columns_with(job: Job, given: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of this job with another payload: it and the keys that follow it. A secret that
    is given as `***`, as everybody sees it, stays what it is.

    Raises UnknownJobType, InvalidPayload and PayloadTooLarge.
    """
    job_type = registry.get(job.type)
    found: dict[str, list[Reference]] = {}
    given = _unmasked(job, given)
    known = dict(given)
    if job.workflow_id:
        job_type, known, found = step_results.known_part(job_type, given)
        _refuse_astray(job, [one for ones in found.values() for one in ones])
    sealed = references.sealed_payload(job_type, known, tenant=job.tenant, owner=job.owner)
    keys = keys_after(job_type, job, sealed)
    if found:
        sealed |= step_results.as_stored({name: given[name] for name in found})
        payload.refuse_unstorable(sealed)
    return {"payload": sealed, **keys}


def _unmasked(job: Job, given: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        whole: Mapping[str, Any] = secret.unmasked(given, job.payload)
    except PydanticCustomError as error:
        raise InvalidPayload([FieldError("", f"a secret {error.message()}")]) from error
    return whole


def _refuse_astray(job: Job, taken: list[Reference]) -> None:
    """A step takes results of those steps alone that it waits for already."""
    if not taken:
        return
    edges = Dependency.objects.filter(job=job, depends_on__workflow=job.workflow_id)
    before = set(edges.values_list("depends_on__step", flat=True))
    errors = [
        FieldError(one.pointer, f"takes the result of {one.step!r}, which this step is not after")
        for one in taken
        if one.step not in before
    ]
    if errors:
        raise InvalidPayload(errors)
