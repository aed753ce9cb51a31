"""A result that the row does not take lies in the storage, and is the job's all the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from pytest_django import Settings

from accounts.models import Tenant
from jobs import JobContext, JobType, job_type, lifecycle
from jobs.exceptions import AttemptLost
from jobs.files.shelf import ARTIFACTS
from jobs.models import Artifact, Attempt, Job
from jobs.models.artifact import ArtifactKind
from jobs.testing import drain, run_inline
from jobs.worker import returned
from jobs.workflows import Step, chain, hand_in, result
from tests.jobs import making
from tests.support.artifacts import complete_stored
from tests.support.files import storage_at, stored_paths
from tests.workflows.making import echo

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, settings: Settings) -> Path:
    return storage_at(tmp_path / "artifacts", settings, "artifacts")


@pytest.fixture
def large(declaring: None, monkeypatch: pytest.MonkeyPatch) -> JobType[..., Any]:
    """A type whose results are too large for the row from 100 bytes on."""
    monkeypatch.setattr(returned, "MAX_RESULT_BYTES", 100)

    @job_type("testing.large", retry_backoff="none", max_retries=1)
    def large(context: JobContext, *, size: int) -> dict[str, str]:
        return {"text": "é" * size}

    return cast("JobType[..., Any]", large)


def refusing(monkeypatch: pytest.MonkeyPatch, method: str, error: Exception) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(ARTIFACTS.storage, method, refuse)


def test_it_is_written_as_json_and_noted_with_the_completion(
    large: JobType[..., Any], tenant: Tenant, directory: Path
) -> None:
    small = run_inline(large, tenant=tenant, size=10)
    job = run_inline(large, tenant=tenant, size=1000)

    assert (small.status, small.has_artifacts) == ("completed", False)
    assert (job.status, job.result, job.progress, job.has_artifacts) == (
        "completed", None, 100, True,
    )  # fmt: skip
    row = Artifact.objects.get()
    assert (row.job_id, row.kind, row.name) == (job.pk, ArtifactKind.RESULT, "result.json")
    (path,) = stored_paths(directory)
    assert json.loads(path.read_bytes()) == {"text": "é" * 1000}
    assert row.size == path.stat().st_size


def test_one_beyond_the_bound_fails_the_job(
    large: JobType[..., Any], tenant: Tenant, settings: Settings, directory: Path
) -> None:
    settings.RESULT_MAX_BYTES = 1000
    job = run_inline(large, tenant=tenant, size=1000)
    assert job.status == "failed"
    assert job.error is not None
    assert job.error["type"] == "result_too_large"
    assert stored_paths(directory) == []


def test_a_storage_that_fails_costs_a_retry(
    large: JobType[..., Any], tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing(monkeypatch, "save", OSError("the bucket named secret is away"))
    job = run_inline(large, tenant=tenant, size=1000)
    assert (job.status, job.retry_count) == ("scheduled", 1)
    assert job.error is not None
    assert job.error["type"] == "result_unstorable"
    assert "secret" not in str(job.error)

    job = run_inline(job)
    assert job.status == "failed"
    monkeypatch.undo()
    assert not Artifact.objects.exists()


@pytest.mark.parametrize(
    ("act", "status"),
    [
        (lambda job: lifecycle.force_queue(job.pk, error=making.ERROR), "queued"),
        (lambda job: lifecycle.cancel(job.pk, by="user:eve"), "cancelled"),
    ],
)
def test_what_happens_while_it_is_written_decides_and_no_row_names_it(
    act: Callable[[Job], object],
    status: str,
    large: JobType[..., Any],
    tenant: Tenant,
    monkeypatch: pytest.MonkeyPatch,
    directory: Path,
) -> None:
    save = ARTIFACTS.storage.save

    def meanwhile(*args: Any) -> str:
        act(Job.objects.get())
        return str(save(*args))

    monkeypatch.setattr(ARTIFACTS.storage, "save", meanwhile)
    job = run_inline(large, tenant=tenant, size=1000)

    assert (job.status, job.has_artifacts, job.result) == (status, False, None)
    assert not Artifact.objects.exists()
    names = [str(path.relative_to(directory)) for path in stored_paths(directory)]
    assert ARTIFACTS.without_row(names) == set(names)  # for the sweep
    assert len(names) == 1


def test_a_lost_fence_completes_nothing(tenant: Tenant) -> None:
    job = making.queued(tenant)
    held = making.start(job)
    lifecycle.release(held, error=making.ERROR)
    with pytest.raises(AttemptLost):
        complete_stored(held)
    assert not Artifact.objects.exists()
    assert not making.fresh(job).has_artifacts


def test_a_later_step_takes_a_stored_result(large: JobType[..., Any], tenant: Tenant) -> None:
    hand_in(
        tenant,
        "",
        chain(
            {
                "a": Step(type_name=large.name, payload={"size": 1000}),
                "b": echo(x=result("a.text")),
            }
        ),
    )
    first, second = drain()
    assert (first.result, first.has_artifacts) == (None, True)
    assert Artifact.objects.filter(job=second).exists()  # it echoes what is large
    with ARTIFACTS.storage.open(Artifact.objects.get(job=second).storage_name) as file:
        assert json.loads(file.read()) == {"x": "é" * 1000}


def test_a_stored_result_counts_against_the_bound_of_a_payload(
    large: JobType[..., Any], tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.step_results.MAX_BYTES", 1000)
    steps = {"a": Step(type_name=large.name, payload={"size": 1000}), "b": echo(x=result("a.text"))}
    hand_in(tenant, "", chain(steps))
    *_, second = drain()
    assert second.error is not None
    assert (second.status, second.error["type"]) == ("failed", "payload_invalid")


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        (FileNotFoundError(), "result_missing", "failed"),
        (OSError("away"), "result_unreadable", "scheduled"),
    ],
)
def test_a_stored_result_that_cannot_be_read_fails_the_step_or_is_waited_for(
    error: Exception,
    kind: str,
    status: str,
    large: JobType[..., Any],
    tenant: Tenant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = {"a": Step(type_name=large.name, payload={"size": 1000}), "b": echo(x=result("a.text"))}
    hand_in(tenant, "", chain(steps))
    refusing(monkeypatch, "open", error)
    *_, second = drain()
    assert second.error is not None
    assert (second.status, second.error["type"]) == (status, kind)
    assert Attempt.objects.filter(job=second).count() == 1
