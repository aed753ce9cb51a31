"""Whose a file is: tenants and owners are apart, scopes hold, and a payload names only what its
caller may see."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.test import Client
from pytest_django import Settings

from accounts.models import AuditEntry, Tenant
from accounts.scopes import EVERY_SCOPE, Scope
from jobs.files.sweeping import sweep_expired
from jobs.models import FileUse, Job, StoredFile
from jobs.states import Status
from tests.api import kinds
from tests.api.calling import PROBLEM, Answer, Caller
from tests.api.conftest import MakeCaller
from tests.api.uploading import upload
from tests.support.files import storage_at, stored, stored_paths
from tests.support.forms import FORM, form, part


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, settings: Settings) -> Path:
    return storage_at(tmp_path / "files", settings)


def hand_in(caller: Caller, file_id: object, **options: Any) -> Answer:
    job = {"type": kinds.reading.name, "payload": {"document": {"file_id": file_id}}}
    return caller.post("/jobs", {**job, **options})


# --- who ----------------------------------------------------------------------------------


@pytest.mark.parametrize("granted", sorted(EVERY_SCOPE))
def test_a_call_needs_its_scope_or_admin(
    granted: Scope, acme: Tenant, caller_of: MakeCaller
) -> None:
    file, caller = stored(acme), caller_of(acme, [granted])
    writes, reads = (
        granted in (scope, Scope.ADMIN) for scope in (Scope.JOBS_WRITE, Scope.JOBS_READ)
    )
    assert upload(caller).status == (201 if writes else 403)
    assert caller.get(f"/files/{file.pk}").status == (200 if reads else 403)
    assert caller.call("DELETE", f"/files/{file.pk}").status == (204 if writes else 403)


def test_without_a_token_nothing_is_taken_in(db: None, directory: Path) -> None:
    assert upload(Caller()).status == 401
    assert Caller().get(f"/files/{uuid4()}").status == 401
    assert Caller().call("DELETE", f"/files/{uuid4()}").status == 401
    assert stored_paths(directory) == []


def test_a_signed_in_person_needs_the_csrf_token_in_its_header(db: None) -> None:
    User.objects.create_superuser("root", password="x")
    browser = Client(enforce_csrf_checks=True)
    browser.login(username="root", password="x")

    def status(headers: dict[str, str]) -> int:
        answer = browser.post("/api/v1/files", form(part(b"x")), content_type=FORM, headers=headers)
        return int(answer.status_code)

    browser.cookies["csrftoken"] = "a" * 32
    assert status({}) == 403
    assert status({"X-CSRFToken": "a" * 32}) == 201


def test_g10_a_foreign_a_missing_and_a_malformed_file_are_the_same_404(
    caller: Caller, other: Tenant, acme: Tenant
) -> None:
    foreign, expired = stored(other), stored(acme)
    StoredFile.objects.filter(pk=expired.pk).update(expires_at=Now())
    names = [str(foreign.pk), str(expired.pk), str(uuid4()), "7", "x" * 36, "%00"]
    for method in ("GET", "DELETE"):
        answers = [caller.call(method, f"/files/{name}") for name in names]
        assert {answer.status for answer in answers} == {404}
        assert {answer.body["detail"] for answer in answers} == {"Not found."}
    assert StoredFile.objects.count() == 2


def test_an_owners_token_sees_and_makes_that_owners_files_only(
    acme: Tenant, caller_of: MakeCaller
) -> None:
    eve, whole = caller_of(acme, owner="eve"), caller_of(acme)
    assert upload(eve, path="/files?owner=bob").status == 403
    assert upload(eve, path="/files?owner=eve").status == 201
    mine = upload(eve).body["id"]
    bobs = upload(whole, path="/files?owner=bob").body["id"]
    assert [eve.get(f"/files/{one}").status for one in (mine, bobs)] == [200, 404]
    assert [whole.get(f"/files/{one}").status for one in (mine, bobs)] == [200, 200]
    assert eve.call("DELETE", f"/files/{bobs}").status == 404
    assert StoredFile.objects.filter(owner="eve").count() == 2


@pytest.mark.parametrize("owner", ["x" * 256, "a%00"])
def test_an_owner_that_cannot_be_is_422(owner: str, caller: Caller) -> None:
    assert upload(caller, path=f"/files?owner={owner}").pointers == ["/owner"]


def test_unknown_query_parameters_are_422(caller: Caller) -> None:
    assert upload(caller, path="/files?name=x").pointers == ["/name"]


def test_a_platform_admin_who_reads_all_tenants_is_told_whose_it_is(
    acme: Tenant, platform: Any
) -> None:
    file = stored(acme)
    assert platform("*").get(f"/files/{file.pk}").body["tenant"] == "acme"
    assert "tenant" not in platform("acme").get(f"/files/{file.pk}").body


# --- in a payload -------------------------------------------------------------------------


def test_a_payload_names_a_file_by_its_id(caller: Caller) -> None:
    file_id = upload(caller).body["id"]
    answer = hand_in(caller, file_id)
    assert answer.status == 201
    assert answer.body["payload"] == {"document": {"file_id": file_id}}
    assert [str(use.file_id) for use in FileUse.objects.all()] == [file_id]


def test_g10_a_file_that_is_not_the_callers_is_as_unknown_as_none(
    acme: Tenant, other: Tenant, caller_of: MakeCaller
) -> None:
    expired = stored(acme, owner="eve")
    StoredFile.objects.filter(pk=expired.pk).update(expires_at=Now())
    eve = caller_of(acme, owner="eve")
    unseen = [stored(other), stored(other, owner="eve"), stored(acme, owner="bob"), stored(acme)]
    answers = [hand_in(eve, str(one.pk)) for one in [*unseen, expired]]
    answers.append(hand_in(eve, str(uuid4())))
    for answer in answers:
        assert answer.pointers == ["/payload/document"]
    assert len({str(answer.body["errors"]) for answer in answers}) == 1
    assert not Job.objects.exists()
    assert hand_in(eve, str(stored(acme, owner="eve").pk)).status == 201


@pytest.mark.parametrize("file_id", ["7", "", None, 7, ["x"], "../x", "\x00", "x" * 36])
def test_a_malformed_id_is_422(file_id: object, caller: Caller) -> None:
    answer = hand_in(caller, file_id)
    if file_id != "\x00":
        assert answer.pointers == ["/payload/document/file_id"]
    assert answer.status in (400, 422)
    assert not Job.objects.exists()


@pytest.mark.parametrize("document", ["x", None, {}, {"file_id": str(uuid4()), "name": "x"}])
def test_a_file_is_named_in_one_way_only(document: object, caller: Caller) -> None:
    job = {"type": kinds.reading.name, "payload": {"document": document}}
    assert caller.post("/jobs", job).status == 422


def test_a_retry_cannot_bring_in_a_file_unseen(caller: Caller, acme: Tenant, other: Tenant) -> None:
    job_id = hand_in(caller, str(stored(acme).pk)).body["id"]
    caller.post(f"/jobs/{job_id}/cancel")
    foreign = {"document": {"file_id": str(stored(other).pk)}}
    assert caller.post(f"/jobs/{job_id}/retry", {"payload": foreign}).status == 422
    assert caller.post(f"/jobs/{job_id}/retry").status == 200


def test_a_retry_may_name_another_file_which_is_then_kept(caller: Caller, acme: Tenant) -> None:
    job_id = hand_in(caller, str(stored(acme).pk)).body["id"]
    caller.post(f"/jobs/{job_id}/cancel")
    document = {"document": {"file_id": str(stored(acme).pk)}}
    answer = caller.post(f"/jobs/{job_id}/retry", {"payload": document})
    assert (answer.status, answer.body["payload"]) == (200, document)
    refused = caller.call("DELETE", f"/files/{document['document']['file_id']}")
    assert refused.status == 409


def test_a_job_whose_file_was_removed_is_retried_with_another_payload_only(
    caller: Caller, acme: Tenant
) -> None:
    file = stored(acme)
    job_id = hand_in(caller, str(file.pk)).body["id"]
    caller.post(f"/jobs/{job_id}/cancel")
    assert caller.call("DELETE", f"/files/{file.pk}").status == 204

    refused = caller.post(f"/jobs/{job_id}/retry")

    assert (refused.status, refused.body["type"]) == (
        409,
        "urn:celeriac:problem:transition-refused",
    )
    assert "file" in refused.body["detail"]
    assert Job.objects.get(pk=job_id).status == Status.CANCELLED
    payload = {"payload": {"document": {"file_id": str(stored(acme).pk)}}}
    assert caller.post(f"/jobs/{job_id}/retry", payload).status == 200


def test_a_job_whose_file_has_expired_but_is_there_is_retried_and_keeps_it(
    caller: Caller, acme: Tenant
) -> None:
    file = stored(acme)
    job_id = hand_in(caller, str(file.pk)).body["id"]
    caller.post(f"/jobs/{job_id}/cancel")
    StoredFile.objects.filter(pk=file.pk).update(expires_at=Now())
    assert caller.post(f"/jobs/{job_id}/retry").status == 200
    assert sweep_expired() == 0
    assert StoredFile.objects.filter(pk=file.pk).exists()


def test_a_job_whose_payload_no_longer_fits_its_type_may_be_retried(
    caller: Caller, acme: Tenant
) -> None:
    job_id = hand_in(caller, str(stored(acme).pk)).body["id"]
    caller.post(f"/jobs/{job_id}/cancel")
    Job.objects.filter(pk=job_id).update(payload={"paper": 1})
    assert caller.post(f"/jobs/{job_id}/retry").status == 200


def test_a_file_without_an_owner_is_named_by_jobs_without_one_only(
    caller: Caller, acme: Tenant
) -> None:
    nobodys, eves = (
        upload(caller, path=path).body["id"] for path in ("/files", "/files?owner=eve")
    )
    assert [hand_in(caller, one).status for one in (nobodys, eves)] == [201, 201]
    assert [hand_in(caller, one, owner="eve").status for one in (nobodys, eves)] == [422, 201]


def test_a_file_that_a_job_needs_is_not_deleted(caller: Caller, directory: Path) -> None:
    file_id = upload(caller).body["id"]
    job_id = hand_in(caller, file_id).body["id"]
    answer = caller.call("DELETE", f"/files/{file_id}")
    assert (answer.status, answer.headers["Content-Type"]) == (409, PROBLEM)
    caller.post(f"/jobs/{job_id}/cancel")
    assert len(stored_paths(directory)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_deleted_file_is_gone_and_its_deletion_on_record(caller: Caller, directory: Path) -> None:
    file_id = upload(caller).body["id"]
    job_id = hand_in(caller, file_id).body["id"]
    caller.post(f"/jobs/{job_id}/cancel")
    assert caller.call("DELETE", f"/files/{file_id}").status == 204
    assert caller.get(f"/files/{file_id}").status == 404
    assert stored_paths(directory) == []
    assert AuditEntry.objects.filter(action="file.delete", object_id=file_id).exists()
    assert Job.objects.get(pk=job_id).status == Status.CANCELLED
