"""The keys that a job's type computes from its payload, and that follow it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs import registry, step_results
from jobs.exceptions import InvalidPayload
from jobs.job_type import JobType
from jobs.models import Job


def keys_after(job_type: JobType[Any, Any], job: Job, payload: Mapping[str, Any]) -> dict[str, str]:
    """The keys of a job that gets this payload, as it is stored, for another.

    A unique key that a request named stays. Raises InvalidPayload where a key cannot be computed.
    """
    keys = {"limit_key": job_type.limit_key_of(payload)}
    if job.unique_key and job.unique_key == _unique_key_before(job_type, job):
        keys["unique_key"] = job_type.unique_key_of(payload)
    return keys


def _unique_key_before(job_type: JobType[Any, Any], job: Job) -> str | None:
    try:
        if not job.workflow_id:
            return job_type.unique_key_of(job.payload)
        known_type, known, _ = step_results.known_part(registry.get(job.type), job.payload)
        return known_type.unique_key_of(known)
    except InvalidPayload:  # the type has changed since
        return None
