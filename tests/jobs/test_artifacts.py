"""What a job hands over is kept with it, by the attempt that holds it and by no other."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any, cast

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from accounts.models import Tenant
from jobs import JobContext, JobType, LeaseLost, job_type, lifecycle
from jobs.artifacts import keeping
from jobs.enqueue import enqueue
from jobs.exceptions import ArtifactRefused, AttemptLost
from jobs.files import sweeping
from jobs.files.shelf import ARTIFACTS
from jobs.files.sweeping import Orphans
from jobs.models import Artifact, Job
from jobs.retention.round import run_to_the_end
from jobs.testing import run_inline
from jobs.testing.execution import InlineExecution
from jobs.worker.identity import WorkerIdentity
from jobs.worker.reporter import Reporter
from jobs.worker.slots import Slots
from tests.jobs import making
from tests.jobs.aged import age
from tests.support.artifacts import complete_stored, hand_over, make_old
from tests.support.files import storage_at, stored_paths

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, settings: Settings) -> Path:
    return storage_at(tmp_path / "artifacts", settings, "artifacts")


def bytes_of(artifact: Artifact) -> bytes:
    with ARTIFACTS.storage.open(artifact.storage_name, "rb") as file:
        return bytes(file.read())


def declared(code: Any) -> JobType[..., Any]:
    return job_type(f"artifacts.{code.__name__}", retry_backoff="none", max_retries=1)(code)


def test_bytes_a_text_and_a_file_are_kept_with_their_digest(
    declaring: None, tenant: Tenant, tmp_path: Path, directory: Path
) -> None:
    chart = tmp_path / "chart.png"
    chart.write_bytes(b"header" + b"\x89PNG" * 200_000)

    def three(context: JobContext) -> list[str]:
        with chart.open("rb") as file:
            file.seek(6)
            made = [
                context.artifact("notes.md", "één"),
                context.artifact("../../data.bin", b"\x00\x01", "application/x-data; charset=x"),
                context.artifact("chart.png", file),
            ]
        return [str(one) for one in made]

    job = run_inline(declared(three), tenant=tenant)

    rows = list(Artifact.objects.filter(job=job).order_by("created_at"))
    assert job.result == [str(row.pk) for row in rows]
    assert job.has_artifacts
    contents = ["één".encode(), b"\x00\x01", b"\x89PNG" * 200_000]
    assert [bytes_of(row) for row in rows] == contents
    assert [(row.name, row.content_type, row.kind) for row in rows] == [
        ("notes.md", "text/markdown", "artifact"),
        ("data.bin", "application/x-data", "artifact"),
        ("chart.png", "image/png", "artifact"),
    ]
    assert [row.size for row in rows] == [len(one) for one in contents]
    assert [row.sha256 for row in rows] == [hashlib.sha256(one).hexdigest() for one in contents]
    assert len(stored_paths(directory)) == 3


def test_it_stays_where_the_attempt_fails_and_the_next_one_replaces_it_by_name(
    declaring: None, tenant: Tenant, directory: Path
) -> None:
    def twice(context: JobContext) -> None:
        context.artifact("once.txt", f"attempt {context.attempt}")
        context.artifact(f"only in {context.attempt}.txt", "x")
        if context.attempt == 1:
            raise ValueError

    job = run_inline(declared(twice), tenant=tenant)
    assert bytes_of(Artifact.objects.get(job=job, name="once.txt")) == b"attempt 1"
    run_inline(job)

    left = Artifact.objects.filter(job=job).order_by("name")
    assert [row.name for row in left] == ["once.txt", "only in 1.txt", "only in 2.txt"]
    assert bytes_of(left[0]) == b"attempt 2"
    assert len(stored_paths(directory)) == 3


@pytest.mark.parametrize("content", [b"x" * 101, "é" * 51, io.BytesIO(b"x" * 101)])
def test_one_that_is_too_large_is_refused_and_nothing_is_left(
    content: Any, tenant: Tenant, settings: Settings, directory: Path
) -> None:
    settings.ARTIFACT_MAX_BYTES = 100
    held = making.start(making.queued(tenant))
    hand_over(held, content=b"x" * 100)

    with pytest.raises(ArtifactRefused, match="100 bytes"):
        hand_over(held, "other", content)
    assert len(stored_paths(directory)) == 1


def test_one_too_many_is_refused_and_nothing_is_left_of_it(
    tenant: Tenant, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MOST", 2)
    held = making.start(making.queued(tenant))
    hand_over(held, "a"), hand_over(held, "b")

    with pytest.raises(ArtifactRefused, match="2 artifacts"):
        hand_over(held, "c")
    hand_over(held, "b", b"again")
    assert sorted(Artifact.objects.values_list("name", flat=True)) == ["a", "b"]
    assert len(stored_paths(directory)) == 2


def test_a_text_file_is_no_file_of_bytes(tenant: Tenant) -> None:
    with pytest.raises(TypeError, match="binary"):
        hand_over(making.start(making.queued(tenant)), content=cast("Any", io.StringIO("text")))


@pytest.mark.parametrize("situation", ["queued again", "taken by another", "completed", "gone"])
def test_an_attempt_that_lost_its_job_keeps_nothing(
    situation: str, tenant: Tenant, directory: Path
) -> None:
    job = making.queued(tenant)
    held = making.start(job)
    match situation:
        case "queued again":
            lifecycle.release(held, error=making.ERROR)
        case "taken by another":
            lifecycle.release(held, error=making.ERROR)
            making.start(job)
        case "completed":
            lifecycle.complete(held, result=1)
        case "gone":
            Job.objects.all().delete()

    with pytest.raises(AttemptLost):
        hand_over(held)
    assert not Artifact.objects.exists()
    assert not Job.objects.filter(has_artifacts=True).exists()
    assert stored_paths(directory) == []


def test_the_code_of_an_attempt_that_lost_its_job_ends_there(
    declaring: None, tenant: Tenant
) -> None:
    ended_by: list[BaseException] = []

    def slow(context: JobContext) -> None:
        lifecycle.force_queue(context.job_id, error=making.ERROR)
        try:
            context.artifact("late.txt", "x")
        except BaseException as error:
            ended_by.append(error)
            raise

    job = enqueue(tenant, declared(slow).name, {}).job
    InlineExecution(WorkerIdentity(name="w@test", lease_seconds=30)).run(making.send(job))

    assert [type(error) for error in ended_by] == [LeaseLost]
    assert making.fresh(job).status == "queued"


def test_a_worker_takes_none_while_a_transaction_is_open(tenant: Tenant, directory: Path) -> None:
    held = making.start(making.queued(tenant))
    reporter = Reporter(held, Slots(1).slot(0), tuple)

    with transaction.atomic(), pytest.raises(ArtifactRefused, match="no transaction open"):
        reporter.artifact("a.txt", "x", "")
    assert stored_paths(directory) == []

    reporter.artifact("a.txt", "x", "")
    assert len(stored_paths(directory)) == 1


def test_no_transaction_is_open_while_the_bytes_are_written(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, seen = making.start(making.queued(tenant)), []
    save = ARTIFACTS.storage.save

    def watched(*args: Any) -> str:
        seen.append(connection.in_atomic_block)
        return str(save(*args))

    monkeypatch.setattr(ARTIFACTS.storage, "save", watched)
    hand_over(held)
    complete_stored(held)
    assert seen == [False, False]


def test_what_a_storage_refuses_is_an_error_in_the_jobs_code(
    declaring: None, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ARTIFACTS.storage, "save", full)

    def making_one(context: JobContext) -> None:
        context.artifact("a.txt", "x")

    job = run_inline(declared(making_one), tenant=tenant)
    assert (job.status, job.has_artifacts) == ("scheduled", False)
    assert job.error is not None
    assert job.error["type"] == "OSError"


def test_bytes_go_with_their_job(tenant: Tenant, directory: Path) -> None:
    jobs = [making.queued(tenant) for _ in range(2)]
    for job in jobs:
        held = making.start(job)
        hand_over(held)
        complete_stored(held)
    age(jobs[0], days=31)

    run_to_the_end()

    assert set(Artifact.objects.values_list("job", flat=True)) == {jobs[1].pk}
    names = {str(path.relative_to(directory)) for path in stored_paths(directory)}
    assert names == set(Artifact.objects.values_list("storage_name", flat=True))
    assert len(names) == 2


def test_a_process_that_died_between_bytes_and_row_leaves_nothing_for_long(
    tenant: Tenant, directory: Path
) -> None:
    kept = hand_over(making.start(making.queued(tenant)))
    ARTIFACTS.storage.save("07/orphan", io.BytesIO(b"of a lost attempt"))
    make_old(directory)
    young = ARTIFACTS.storage.save("07/young", io.BytesIO(b"on its way"))

    orphans = Orphans(ARTIFACTS)
    assert sum(orphans.run() for _ in range(sweeping.SHARDS)) == 1

    names = {str(path.relative_to(directory)) for path in stored_paths(directory)}
    assert names == {kept.storage_name, young}
