"""What belongs to which job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from jobs.models import Artifact, Job
from jobs.models.artifact import ArtifactKind


@dataclass(frozen=True, kw_only=True)
class Left:
    """What one job left behind: its artifacts, the oldest first, and its stored result."""

    artifacts: Sequence[Artifact] = ()
    result: Artifact | None = None


NOTHING = Left()


def left_by(jobs: Iterable[Job]) -> Mapping[UUID, Left]:
    """Of those that left anything; one query, and none where nobody did."""
    ids = [job.pk for job in jobs if job.has_artifacts]
    if not ids:
        return {}
    rows = list(Artifact.objects.filter(job__in=ids).order_by("created_at", "pk"))
    found: dict[UUID, list[Artifact]] = {}
    for row in rows:
        found.setdefault(row.job_id, []).append(row)
    return {job_id: _left(own) for job_id, own in found.items()}


def _left(rows: Sequence[Artifact]) -> Left:
    results = [row for row in rows if row.kind == ArtifactKind.RESULT]
    return Left(
        artifacts=[row for row in rows if row.kind == ArtifactKind.ARTIFACT],
        result=results[0] if results else None,
    )
