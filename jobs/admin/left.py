"""What a job left behind, on its page: files with links that can be followed for a while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.template.defaultfilters import filesizeformat

from jobs.api.left import result_url
from jobs.artifacts import links
from jobs.artifacts.reading import NOTHING, left_by
from jobs.models import Artifact, Job
from jobs.states import Status


@dataclass(frozen=True, kw_only=True)
class LeftFile:
    name: str
    size: str
    link: str


def left_behind(job: Job) -> dict[str, Any]:
    """`stored_result`: the large one; its link is empty where its time is over."""
    left = left_by([job]).get(job.pk, NOTHING)
    result = left.result if job.status == Status.COMPLETED else None
    return {
        "artifacts": [
            _file(artifact, links.address(artifact.pk, job.tenant_id))
            for artifact in left.artifacts
        ],
        "stored_result": _file(result, result_url(job, left) or "") if result else None,
    }


def _file(artifact: Artifact, link: str) -> LeftFile:
    return LeftFile(name=artifact.name, size=filesizeformat(artifact.size), link=link)
