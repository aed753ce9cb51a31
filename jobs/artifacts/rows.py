"""The row of an artifact: written with what it belongs to, in one transaction."""

from __future__ import annotations

from django.db import transaction

from jobs.artifacts.stored import Stored
from jobs.files.shelf import ARTIFACTS
from jobs.message import FencedJob
from jobs.models import Artifact
from jobs.models.artifact import ArtifactKind


def put_row(held: FencedJob, kind: ArtifactKind, stored: Stored) -> Artifact:
    """The row of bytes that lie in the storage. Call it in a transaction that holds the job."""
    former = Artifact.objects.filter(job=held.id, kind=kind, name=stored.name)
    replaced = list(former.values_list("storage_name", flat=True))
    if replaced:
        former.delete()
        transaction.on_commit(lambda: ARTIFACTS.remove(replaced))
    return Artifact.objects.create(
        job_id=held.id,
        kind=kind,
        name=stored.name,
        content_type=stored.content_type,
        size=stored.size,
        sha256=stored.sha256,
        storage_name=stored.storage_name,
        fence=held.fence,
    )
