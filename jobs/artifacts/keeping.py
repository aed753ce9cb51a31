"""Artifacts are written by the attempt that holds the job, and by no other.

1. The bytes go into the storage, with no transaction open.
2. One transaction asks whether the attempt still holds its job, and writes the row.

An attempt that lost its job leaves bytes without a row at most, which the sweep removes.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from jobs.artifacts.rows import put_row
from jobs.artifacts.stored import Stored
from jobs.exceptions import ArtifactRefused, AttemptLost
from jobs.files.shelf import ARTIFACTS
from jobs.files.storing import Incoming
from jobs.lifecycle.statement import HELD, bound_waits, run
from jobs.message import FencedJob
from jobs.models import Artifact
from jobs.models.artifact import ArtifactKind

MOST = 100  # artifacts of a job

# The row is locked by it: nobody else writes artifacts of this job, or ends the attempt, meanwhile.
_HOLD = f"""
    UPDATE jobs_job AS job SET has_artifacts = true, updated_at = clock_timestamp()
     WHERE {HELD} AND job.status = 'processing' RETURNING job.id
"""  # noqa: S608 (constants of this package; values travel as parameters)


def keep(held: FencedJob, file: Incoming) -> UUID:
    """Make the file an artifact of the job, in the place of a former one of its name.

    Raises AttemptLost; ArtifactRefused for one too many; and OSError where the storage fails.
    """
    with ARTIFACTS.holding(file.content) as held_bytes, transaction.atomic():
        bound_waits()
        if not run(_HOLD, id=held.id, fence=held.fence):
            raise AttemptLost(job_id=held.id, fence=held.fence)
        _refuse_one_too_many(held, file.name)
        stored = Stored(
            storage_name=held_bytes.name,
            name=file.name,
            content_type=file.content_type,
            size=file.size,
            sha256=file.sha256,
        )
        row = put_row(held, ArtifactKind.ARTIFACT, stored)
        held_bytes.is_named = True
    return row.pk


def _refuse_one_too_many(held: FencedJob, name: str) -> None:
    others = Artifact.objects.filter(job=held.id, kind=ArtifactKind.ARTIFACT).exclude(name=name)
    if others.count() >= MOST:
        raise ArtifactRefused(f"A job may have {MOST} artifacts.")
