"""Files in payloads: named only by whom they belong to, and read by the job that names them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from pydantic import BaseModel
from pytest_django import Settings

from accounts.models import Tenant
from jobs import FileGone, InputFile, JobContext, JobType, Secret, job_type, registry
from jobs.enqueue import Enqueued, JobOptions, JobRequest, enqueue, enqueue_many
from jobs.exceptions import InvalidPayload
from jobs.files.sweeping import sweep_expired
from jobs.models import FileUse, Job, StoredFile
from jobs.states import Status
from jobs.testing import run_inline
from tests.jobs.kinds import ECHO
from tests.support.files import storage_at, stored, stored_paths

DAY = 86_400


class Pages(BaseModel):
    files: list[InputFile] = []
    by_name: dict[str, InputFile] = {}


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, settings: Settings) -> Path:
    return storage_at(tmp_path / "files", settings)


@pytest.fixture
def reading() -> Iterator[JobType[..., Any]]:
    """A job type that takes files in every place where a payload may have one."""

    @job_type("filed.read", max_retries=3)
    def read(
        context: JobContext,
        *,
        document: InputFile,
        other: InputFile | None = None,
        pages: Pages | None = None,
        text: str = "",
        token: Secret[str] | None = None,
    ) -> dict[str, Any]:
        with document.open() as file:
            lines = [line.decode() for line in file]
        return {
            "lines": lines,
            "said": [document.name, document.size, document.content_type, document.sha256[:8]],
        }

    yield cast("JobType[..., Any]", read)
    registry.forget("filed.read")


def uses(job: Job) -> set[UUID]:
    return set(FileUse.objects.filter(job=job).values_list("file", flat=True))


def named(file: StoredFile) -> dict[str, str]:
    return {"file_id": str(file.pk)}


def expire(*files: StoredFile) -> None:
    StoredFile.objects.filter(pk__in=[file.pk for file in files]).update(expires_at=Now())


# --- naming -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [lambda file: file, lambda file: file.pk, lambda file: InputFile(file.pk), named],
    ids=["itself", "its id", "a parameter", "its JSON"],
)
def test_python_names_a_file_in_any_of_its_forms(
    form: Callable[[StoredFile], object], tenant: Tenant, reading: JobType[..., Any]
) -> None:
    file = stored(tenant)

    job = reading.enqueue(tenant=tenant, document=form(file))

    assert job.payload == {"document": named(file)}
    assert uses(job) == {file.pk}


def test_files_are_found_at_any_depth_and_kept_once(
    tenant: Tenant, reading: JobType[..., Any]
) -> None:
    first, second, third = (stored(tenant) for _ in range(3))
    pages = {"files": [named(second), named(first)], "by_name": {"a": named(third)}}

    job = reading.enqueue(tenant=tenant, document=first, pages=pages, token="t")

    assert uses(job) == {first.pk, second.pk, third.pk}
    assert job.payload["pages"] == pages


def test_every_file_that_may_not_be_named_is_pointed_to(
    tenant: Tenant, other: Tenant, reading: JobType[..., Any]
) -> None:
    mine, foreign, expired = stored(tenant), stored(other), stored(tenant)
    expire(expired)
    payload = {
        "document": named(foreign),
        "other": {"file_id": str(uuid4())},
        "pages": {"files": [named(mine), named(expired)]},
    }

    with pytest.raises(InvalidPayload) as refusal:
        enqueue(tenant, reading.name, payload)

    told = {error.pointer: error.detail for error in refusal.value.errors}
    assert set(told) == {"/document", "/other", "/pages/files/1"}
    assert set(told.values()) == {"no such file, or it has expired"}
    assert not Job.objects.exists()
    assert not FileUse.objects.exists()


@pytest.mark.parametrize(
    ("files_owner", "jobs_owner", "allowed"),
    [
        ("", "", True),
        ("eve", "eve", True),
        ("eve", "", True),
        ("bob", "eve", False),
        ("", "eve", False),
    ],
)
def test_a_job_of_an_owner_names_that_owners_files_only(
    files_owner: str, jobs_owner: str, allowed: bool, tenant: Tenant, reading: JobType[..., Any]
) -> None:
    file = stored(tenant, owner=files_owner)
    try:
        enqueue(tenant, reading.name, {"document": file}, JobOptions(owner=jobs_owner))
    except InvalidPayload:
        assert not allowed
    else:
        assert allowed


def test_a_payload_that_nobody_looks_through_may_name_no_file(
    tenant: Tenant, reading: JobType[..., Any]
) -> None:
    with pytest.raises(InvalidPayload, match="cannot be named here"):
        reading.validated({"document": stored(tenant)})


def test_the_refused_items_of_a_batch_stop_no_other(
    tenant: Tenant, other: Tenant, reading: JobType[..., Any]
) -> None:
    mine, foreign = stored(tenant), stored(other)
    requests = [
        JobRequest(type_name=reading.name, payload={"document": mine}),
        JobRequest(type_name=reading.name, payload={"document": foreign}),
        JobRequest(type_name=ECHO, payload={"document": named(foreign)}),  # means nothing to it
        JobRequest(
            type_name=reading.name, payload={"document": mine}, options=JobOptions(unique_key="k")
        ),
    ]

    outcomes = enqueue_many(tenant, requests)

    assert [type(one) for one in outcomes] == [Enqueued, InvalidPayload, Enqueued, Enqueued]
    assert FileUse.objects.count() == 2


def test_a_job_that_was_there_before_is_given_no_new_files(
    tenant: Tenant, reading: JobType[..., Any]
) -> None:
    first = enqueue(tenant, reading.name, {"document": stored(tenant)}, JobOptions(unique_key="k"))
    again = enqueue(tenant, reading.name, {"document": stored(tenant)}, JobOptions(unique_key="k"))

    assert not again.created
    assert FileUse.objects.count() == len(uses(first.job)) == 1


def test_an_undone_job_leaves_no_use(tenant: Tenant, reading: JobType[..., Any]) -> None:
    with transaction.atomic():
        reading.enqueue(tenant=tenant, document=stored(tenant))
        transaction.set_rollback(True)
    assert not FileUse.objects.exists()


def test_a_job_that_is_deleted_by_any_means_takes_its_uses_along(
    tenant: Tenant, reading: JobType[..., Any]
) -> None:
    job = reading.enqueue(tenant=tenant, document=stored(tenant))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM jobs_job WHERE id = %s", [job.pk])
    assert not FileUse.objects.exists()


# --- reading ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_job_reads_its_file_and_what_is_known_of_it(
    tenant: Tenant, reading: JobType[..., Any]
) -> None:
    file = stored(tenant, b"one\ntwo\n", name="a.txt")
    job = reading.enqueue(tenant=tenant, document=file)
    expire(file)
    sweep_expired()

    done = run_inline(job)

    assert done.status == Status.COMPLETED, done.error
    assert done.result == {
        "lines": ["one\n", "two\n"],
        "said": ["a.txt", 8, "application/octet-stream", file.sha256[:8]],
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["bytes", "row"])
def test_a_file_that_vanished_fails_its_job_for_good(
    what: str, tenant: Tenant, directory: Path, reading: JobType[..., Any]
) -> None:
    file = stored(tenant)
    job = reading.enqueue(tenant=tenant, document=file)
    if what == "bytes":
        stored_paths(directory)[0].unlink()
    else:
        FileUse.objects.all().delete()
        file.delete()

    done = run_inline(job)

    assert (done.status, done.retry_count) == (Status.FAILED, 0)
    assert done.error is not None
    assert done.error["type"] == "FileGone"


def test_a_file_shows_its_id_and_is_compared_by_it() -> None:
    file_id = uuid4()
    assert InputFile(file_id) == InputFile(file_id) != InputFile(uuid4())
    assert str(file_id) in repr(InputFile(file_id))
    assert issubclass(FileGone, Exception)
