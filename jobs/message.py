"""The body of a message: which jobs to claim, each with its fence. Pure.

A message has no authority: whoever forges one can at most ask a worker to claim, or to give back
for another sending, a row that the dispatcher had marked for sending anyway.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

MAX_JOBS = 1000


class FencedJob(NamedTuple):
    """One attempt's right to a job: whoever names the job's present fence may write."""

    id: UUID
    fence: int


class MalformedMessage(ValueError):
    """Not a list of [job id, fence] pairs."""


def encode(jobs: Iterable[FencedJob]) -> list[list[Any]]:
    return [[str(job.id), job.fence] for job in jobs]


def decode(body: Any) -> list[FencedJob]:
    """The jobs that a message names. Raises MalformedMessage for whatever else it holds."""
    if not isinstance(body, list | tuple) or not 0 < len(body) <= MAX_JOBS:
        raise MalformedMessage(f"{type(body).__name__} in place of a list of jobs")
    return [_pair(item) for item in body]


def _pair(item: Any) -> FencedJob:
    try:
        job_id, fence = item
        if isinstance(fence, bool) or not isinstance(fence, int) or not 0 < fence < 2**63:
            raise MalformedMessage("a fence is a positive 64-bit number")
        return FencedJob(UUID(job_id), fence)
    except (TypeError, ValueError, AttributeError) as error:
        raise MalformedMessage(str(error)) from error


def shown(jobs: list[FencedJob]) -> str:
    """For logs, events and Flower: the first job, and how many follow."""
    rest = f" and {len(jobs) - 1} more" if len(jobs) > 1 else ""
    return f"({jobs[0].id}{rest})"
