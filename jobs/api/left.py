"""What a job left behind, as its document shows it: each with a link that can be followed."""

from __future__ import annotations

from typing import Any

from accounts.api.moment import shown
from jobs.artifacts import links
from jobs.artifacts.reading import Left
from jobs.models import Artifact, Job
from jobs.retention import is_over
from jobs.states import Status


def artifact_documents(job: Job, left: Left) -> list[dict[str, Any]]:
    return [_document(job, artifact) for artifact in left.artifacts]


def result_url(job: Job, left: Left) -> str | None:
    """Where a result lies that is not in the row, as long as it may be read."""
    if left.result is None or job.status != Status.COMPLETED or is_over(job):
        return None
    return links.address(left.result.pk, job.tenant_id)


def _document(job: Job, artifact: Artifact) -> dict[str, Any]:
    return {
        "id": str(artifact.pk),
        "name": artifact.name,
        "content_type": artifact.content_type,
        "size": artifact.size,
        "sha256": artifact.sha256,
        "created_at": shown(artifact.created_at),
        "url": links.address(artifact.pk, job.tenant_id),
    }
