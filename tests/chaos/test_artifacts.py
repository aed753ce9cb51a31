"""A worker dies with files of its job handed over: the next attempt leaves each of them once."""

from __future__ import annotations

import json
from pathlib import Path

from jobs.models import Artifact, Job
from jobs.states import Status
from tests.support.arena import Arena
from tests.support.files import stored_paths
from tests.support.waiting import wait_for
from tests.testapp.trace import traces_of


def test_a_killed_workers_artifacts_are_replaced_and_the_large_result_is_there(
    arena: Arena,
) -> None:
    arena.dispatcher()
    first = arena.worker("first")
    with arena.held():
        job = arena.enqueue("testing.leaving")
        wait_for(
            lambda: traces_of(arena.trace, job.pk), seconds=40, what="the files are handed over"
        )
        before = _left(job)
        first.kill()
        arena.worker("second")
    done = arena.wait_for_status(job.pk, Status.COMPLETED, seconds=60)

    assert (done.crash_count, done.result, done.has_artifacts) == (1, None, True)
    left = _left(job)
    assert list(left) == ["large.bin", "page.txt", "result.json"]
    directory = arena.home / "artifacts"
    last = f"{job.pk}:{done.fence - 1}"  # leaving `processing` has added one
    assert _bytes(directory, left["page.txt"]) == last.encode()
    assert json.loads(_bytes(directory, left["result.json"]))["attempt"] == last
    lying = {str(path.relative_to(directory)) for path in stored_paths(directory)}
    assert {left[name].storage_name for name in left} <= lying
    assert {before[name].storage_name for name in before} & lying == set()


def _left(job: Job) -> dict[str, Artifact]:
    return {row.name: row for row in Artifact.objects.filter(job=job).order_by("name")}


def _bytes(directory: Path, row: Artifact) -> bytes:
    return (directory / row.storage_name).read_bytes()
