"""POST /files: a file is kept byte for byte, or refused without a trace."""

from __future__ import annotations

import errno
import hashlib
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import OperationalError
from django.db.models.functions import Now
from django.utils.dateparse import parse_datetime
from pytest_django import Settings

from accounts.models import IdempotencyKey, Tenant
from jobs.models import StoredFile
from tests.api import kinds
from tests.api.calling import PROBLEM, Answer, Caller
from tests.api.test_schema import check, schema
from tests.api.uploading import upload
from tests.jobs.racing import together
from tests.support.files import storage_at, stored_paths
from tests.support.forms import BOUNDARY, FORM, form, part

LIMIT = 1000


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, settings: Settings) -> Path:
    settings.FILES_MAX_BYTES = LIMIT
    return storage_at(tmp_path / "files", settings)


def send(caller: Caller, body: bytes, content_type: str = FORM, **headers: str) -> Answer:
    return caller.send("/files", body, content_type=content_type, **headers)


def test_a_file_is_kept_byte_for_byte(caller: Caller, acme: Tenant, directory: Path) -> None:
    content = bytes(range(256)) * 3

    answer = upload(caller, content, filename="Überblick.pdf", content_type="Application/PDF; q=1")

    row = StoredFile.objects.get()
    (path,) = stored_paths(directory)
    assert answer.status == 201
    assert answer.headers["Location"] == f"/api/v1/files/{row.pk}"
    assert parse_datetime(answer.body.pop("expires_at")) == row.expires_at
    assert answer.body == {
        "id": str(row.pk),
        "name": "Überblick.pdf",
        "size": 768,
        "sha256": hashlib.sha256(content).hexdigest(),
        "content_type": "application/pdf",
    }
    assert path.read_bytes() == content
    assert (row.tenant, row.owner, row.created_by[:6]) == (acme, "", "token:")


def test_a_file_is_nobodys_but_ours_to_read(caller: Caller, directory: Path) -> None:
    upload(caller, filename="../../etc/passwd")
    (path,) = stored_paths(directory)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(one.stat().st_mode) for one in (path.parent, directory)} == {0o700}
    assert path.parent.parent == directory
    assert "passwd" not in str(path)
    assert StoredFile.objects.get().name == "passwd"


def test_it_expires_after_its_time(caller: Caller, settings: Settings) -> None:
    settings.RETENTION_FILE_HOURS = 2
    upload(caller)
    row = StoredFile.objects.get()
    assert timedelta(minutes=119) < row.expires_at - row.created_at < timedelta(minutes=121)


@pytest.mark.parametrize(
    ("size", "status"), [(1, 201), (LIMIT, 201), (LIMIT + 1, 413), (500_000, 413)]
)
def test_a_file_may_have_so_many_bytes_and_no_more(
    size: int, status: int, caller: Caller, directory: Path
) -> None:
    answer = upload(caller, b"x" * size)
    assert answer.status == status
    assert len(stored_paths(directory)) == StoredFile.objects.count() == (status == 201)


ONE = part(b"x")


@pytest.mark.parametrize(
    ("body", "content_type", "status", "pointers"),
    [
        (b"{}", "application/json", 415, []),
        (b"x", "application/octet-stream", 415, []),
        (form(ONE), "multipart/mixed; boundary=" + BOUNDARY, 415, []),
        (b"", FORM, 400, []),
        (form(ONE), "multipart/form-data", 400, []),
        (form(ONE)[:-8], FORM, 400, []),
        (form(ONE)[:40], FORM, 400, []),
        (form(b"X: y\r\n" * 3000 + ONE), FORM, 400, []),
        (form(*[ONE] * 100), FORM, 400, []),
        (form(), FORM, 422, ["/file"]),
        (form(part(b"")), FORM, 422, ["/file"]),
        (form(ONE, ONE), FORM, 422, ["/file"]),
        (form(part(b"x", filename=None)), FORM, 422, ["/file", "/file"]),
        (form(part(b"x", name="document")), FORM, 422, ["/document", "/file"]),
        (form(ONE, part(b"eve", name="owner", filename=None)), FORM, 422, ["/owner"]),
    ],
)
def test_a_body_that_is_not_one_file_is_refused_without_a_trace(
    body: bytes,
    content_type: str,
    status: int,
    pointers: list[str],
    caller: Caller,
    directory: Path,
) -> None:
    answer = send(caller, body, content_type)
    assert (answer.status, answer.headers["Content-Type"]) == (status, PROBLEM)
    assert sorted(one["pointer"] for one in answer.body["errors"]) == pointers
    assert not StoredFile.objects.exists()
    assert stored_paths(directory) == []


def test_a_compressed_body_is_415(caller: Caller) -> None:
    assert send(caller, form(ONE), content_encoding="gzip").status == 415


def test_a_long_name_with_odd_characters_is_shown_cleaned(caller: Caller) -> None:
    assert upload(caller, filename="C:\\a\x1b\u202e" + "x" * 300).body["name"] == "a" + "x" * 254


@pytest.mark.parametrize(
    ("number", "status"), [(errno.ENOSPC, 507), (errno.EDQUOT, 507), (errno.EIO, 503)]
)
def test_a_storage_that_cannot_be_written_is_told_and_nothing_is_left(
    number: int,
    status: int,
    caller: Caller,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def half_written(self: FileSystemStorage, name: str, content: Any) -> str:
        path = directory / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"half of")
        raise OSError(number, "in the middle of it")

    monkeypatch.setattr(FileSystemStorage, "_save", half_written)
    answer = upload(caller)
    assert (answer.status, answer.headers["Content-Type"]) == (status, PROBLEM)
    assert "middle" not in str(answer.body)
    assert stored_paths(directory) == []
    assert not StoredFile.objects.exists()


@pytest.mark.parametrize(
    ("error", "status"),
    [(RuntimeError("a mistake"), 500), (OperationalError("INSERT: no answer"), 503)],
)
def test_without_its_row_no_file_is_seen_and_no_bytes_stay(
    error: Exception,
    status: int,
    caller: Caller,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("jobs.api.files.keep", fail)
    assert upload(caller).status == status
    assert not StoredFile.objects.exists()
    assert stored_paths(directory) == []


# --- once ---------------------------------------------------------------------------------


def test_the_same_file_again_under_a_key_gets_the_first_answer(
    caller: Caller, directory: Path
) -> None:
    first = upload(caller, idempotency_key="k")
    other_boundary = form(part(b"some text")).replace(BOUNDARY.encode(), b"another")
    again = send(
        caller, other_boundary, "multipart/form-data; boundary=another", idempotency_key="k"
    )
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["Idempotent-Replay"] == "true"
    assert len(stored_paths(directory)) == StoredFile.objects.count() == 1


@pytest.mark.parametrize(
    "change", [{"content": b"other text"}, {"filename": "b.txt"}, {"path": "/files?owner=eve"}]
)
def test_another_file_under_the_key_is_422_and_leaves_nothing(
    change: dict[str, Any], caller: Caller, directory: Path
) -> None:
    upload(caller, idempotency_key="k")
    assert upload(caller, idempotency_key="k", **change).pointers == ["/Idempotency-Key"]
    assert len(stored_paths(directory)) == StoredFile.objects.count() == 1


@pytest.mark.parametrize("how", ["expired", "removed"])
def test_the_key_of_a_file_that_is_no_more_is_409_and_leaves_nothing(
    how: str, caller: Caller, directory: Path
) -> None:
    first = upload(caller, idempotency_key="k")
    if how == "expired":
        StoredFile.objects.update(expires_at=Now())
    else:
        StoredFile.objects.all().delete()
    answer = upload(caller, idempotency_key="k")
    assert (answer.status, answer.headers["Content-Type"]) == (409, PROBLEM)
    assert first.body["id"] not in str(answer.body)
    assert len(stored_paths(directory)) == 1  # the first one's, for the sweep
    assert upload(caller, idempotency_key="another").status == 201


@pytest.mark.django_db(transaction=True)
def test_two_at_once_are_two_files_and_under_one_key_one(caller: Caller, directory: Path) -> None:
    answers = together(*[lambda: upload(caller)] * 3)
    assert len({answer.body["id"] for answer in answers}) == 3
    answers = together(*[lambda: upload(caller, idempotency_key="k")] * 3)
    assert len({answer.body["id"] for answer in answers}) == 1
    assert len(stored_paths(directory)) == StoredFile.objects.count() == 4
    assert IdempotencyKey.objects.count() == 1


# --- as published -------------------------------------------------------------------------


def test_the_answers_and_the_form_are_as_described(caller: Caller) -> None:
    paths = schema()["paths"]
    create = paths["/api/v1/files"]["post"]
    described = create["responses"]["201"]["content"]["application/json"]["schema"]
    answer = upload(caller)
    check(answer.body, described)
    check(caller.get(f"/files/{answer.body['id']}").body, described)
    asked = create["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert asked["properties"] == {"file": {"type": "string", "format": "binary", "minLength": 1}}
    assert asked["required"] == ["file"]


def test_a_job_type_tells_how_a_file_is_named(caller: Caller) -> None:
    (kind,) = (
        one
        for one in caller.get("/job-types", limit=200).body["items"]
        if one["name"] == kinds.reading.name
    )
    document = kind["payload_schema"]["properties"]["document"]
    assert document["required"] == ["file_id"]
    assert document["properties"]["file_id"]["format"] == "uuid"
    assert document["additionalProperties"] is False
