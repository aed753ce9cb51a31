"""A job of the platform's own, as the tests know it: nothing but what every such job is."""

from __future__ import annotations

from jobs import JobContext, job_type

QUEUE = "ours"


@job_type("testing.ours", queue=QUEUE, internal=True, retry_backoff="none")
def ours(context: JobContext, *, number: int = 0) -> int:
    """Say its number."""
    return number


OURS = ours.name
