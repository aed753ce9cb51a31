"""Job types that the API's tests ask for. No test here runs them."""

from __future__ import annotations

from typing import Any

from jobs import InputFile, JobContext, Secret, job_type


@job_type("apitests.report", max_retries=2)
def report(
    context: JobContext, *, report_id: int, access_token: Secret[str] | None = None
) -> dict[str, Any]:
    """A report with a secret."""
    return {"report": report_id}


@job_type("apitests.reading")
def reading(context: JobContext, *, document: InputFile) -> int:
    """How long a document is."""
    return document.size


@job_type("apitests.crawl", unique_key="{subreddit}", limit_key="reddit:{subreddit}")
def crawl(context: JobContext, *, subreddit: str) -> None:
    """One crawl of a subreddit at a time."""
