"""A storage for the artifacts of one test, and jobs that left some."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import IO

from jobs import lifecycle
from jobs.artifacts import keeping, results
from jobs.artifacts.content import taken_in
from jobs.message import FencedJob
from jobs.models import Artifact, Job
from jobs.models.artifact import ArtifactKind
from tests.support.files import stored_paths

DAY = 86_400


def hand_over(
    held: FencedJob,
    name: str = "page.html",
    content: bytes | str | IO[bytes] = b"<h1>made</h1>",
    content_type: str = "",
) -> Artifact:
    """An artifact of a job that is held, as a worker keeps it."""
    file = taken_in(name, content, content_type)
    with file.content:
        return Artifact.objects.get(pk=keeping.keep(held, file))


def complete_stored(held: FencedJob, text: bytes = b'{"large": true}') -> Artifact:
    """End the job with a result that lies in the storage."""
    lifecycle.complete(held, result=None, stored=results.write(text))
    return Artifact.objects.get(job=held.id, kind=ArtifactKind.RESULT)


def held(job: Job) -> FencedJob:
    """The right of the attempt that runs."""
    return FencedJob(job.pk, Job.objects.get(pk=job.pk).fence)


def make_old(directory: Path) -> None:
    """All bytes that lie there were written a day ago."""
    for path in stored_paths(directory):
        os.utime(path, (time.time() - DAY, time.time() - DAY))
