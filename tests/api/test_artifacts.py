"""What a job left behind, read over the API: by link, by token, and by nobody else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from accounts.scopes import EVERY_SCOPE, Scope
from jobs.artifacts import links
from jobs.files.shelf import ARTIFACTS
from jobs.models import Artifact, Job
from jobs.states import Status
from tests.api.calling import PROBLEM, Caller
from tests.api.conftest import MakeCaller, MakeJob
from tests.support.artifacts import complete_stored, hand_over, held
from tests.support.files import storage_at

PAGE = b"<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, settings: Settings) -> Path:
    return storage_at(tmp_path / "artifacts", settings, "artifacts")


@pytest.fixture
def running(acme: Tenant, make_job: MakeJob) -> Job:
    return make_job(acme, Status.PROCESSING)


def followed(url: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """As a browser would, without a token."""
    parts = urlsplit(url)
    answer: Any = Client().generic(method, f"{parts.path}?{parts.query}", headers=headers)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer.status_code, dict(answer.headers), body


def test_a_jobs_document_lists_its_artifacts_with_links(caller: Caller, running: Job) -> None:
    row = hand_over(held(running), "page.html", PAGE)

    (shown,) = caller.get(f"/jobs/{running.pk}").body["artifacts"]
    assert {**shown, "created_at": None, "url": None} == {
        "id": str(row.pk),
        "name": "page.html",
        "content_type": "text/html",
        "size": len(PAGE),
        "sha256": hashlib.sha256(PAGE).hexdigest(),
        "created_at": None,
        "url": None,
    }
    assert followed(shown["url"])[::2] == (200, PAGE)


def test_what_a_job_made_is_saved_and_never_shown(caller: Caller, running: Job) -> None:
    hand_over(held(running), 'né"w\u202e.html', PAGE)
    (shown,) = caller.get(f"/jobs/{running.pk}").body["artifacts"]

    _, headers, _ = followed(shown["url"])
    assert headers["Content-Disposition"] == "attachment; filename*=utf-8''n%C3%A9%22w.html"
    assert headers["Content-Type"] == "text/html"
    assert headers["Content-Length"] == str(len(PAGE))
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "private, no-store"


def test_a_stored_result_has_an_address_and_stands_in_no_list_of_artifacts(
    caller: Caller, running: Job
) -> None:
    complete_stored(held(running), b'{"large": true}')

    body = caller.get(f"/jobs/{running.pk}").body
    assert (body["result"], body["artifacts"]) == (None, [])
    status, headers, text = followed(body["result_url"])
    assert (status, text) == (200, b'{"large": true}')
    assert headers["Content-Type"] == "application/json"


def test_a_result_whose_time_is_over_has_no_address_and_its_link_leads_nowhere(
    caller: Caller, running: Job, settings: Settings
) -> None:
    settings.RETENTION_RESULT_HOURS = 1
    row = complete_stored(held(running))
    made = caller.get(f"/jobs/{running.pk}").body["result_url"]
    assert followed(made)[0] == 200

    hours_ago = timezone.now() - timedelta(hours=2)
    Job.objects.filter(pk=running.pk).update(completed_at=hours_ago)

    assert caller.get(f"/jobs/{running.pk}").body["result_url"] is None
    status, headers, _ = followed(made)
    assert (status, headers["Content-Type"]) == (404, PROBLEM)
    assert caller.get(f"/artifacts/{row.pk}").status == 404


def test_a_list_shows_them_too_at_the_cost_of_one_query_and_of_none_without(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    jobs = [make_job(acme, Status.PROCESSING) for _ in range(3)]
    with CaptureQueriesContext(connection) as asked:
        caller.get("/jobs")
        caller.get(f"/jobs/{jobs[0].pk}")
    assert _of_artifacts(asked) == 0

    for job, name in ((jobs[0], "a"), (jobs[0], "b"), (jobs[2], "c")):
        hand_over(held(job), name)
    with CaptureQueriesContext(connection) as asked:
        items = caller.get("/jobs").body["items"]
    assert [[one["name"] for one in item["artifacts"]] for item in items] == [
        ["c"], [], ["a", "b"],
    ]  # fmt: skip
    assert _of_artifacts(asked) == 1


def _of_artifacts(asked: CaptureQueriesContext) -> int:
    return sum('FROM "jobs_artifact"' in query["sql"] for query in asked.captured_queries)


def test_a_wrong_or_late_link_is_403_whoever_follows_it(
    caller: Caller, acme: Tenant, running: Job, settings: Settings
) -> None:
    one, other = hand_over(held(running), "one"), hand_over(held(running), "other")
    good = links.address(one.pk, acme.pk).partition("link=")[2]
    settings.LINK_SECONDS = -1
    late = links.address(one.pk, acme.pk).partition("link=")[2]
    tries = [(one.pk, late), (one.pk, ""), (one.pk, "x"), (other.pk, good), (uuid4(), good)]
    for artifact_id, link in tries:
        for who in (caller, Caller()):
            answer = who.get(f"/artifacts/{artifact_id}", link=link)
            assert (answer.status, answer.headers["Content-Type"]) == (403, PROBLEM)
    assert Caller().get("/artifacts/7", link=good).status == 404


def test_a_link_takes_no_other_parameter_beside_it(acme: Tenant, running: Job) -> None:
    url = links.address(hand_over(held(running)).pk, acme.pk)
    assert followed(f"{url}&download=1")[0] == 422


def test_without_a_link_it_takes_a_token(running: Job) -> None:
    answer = Caller().get(f"/artifacts/{hand_over(held(running)).pk}")
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("granted", sorted(EVERY_SCOPE))
def test_without_a_link_it_takes_the_scope_that_reads_jobs(
    granted: Scope, acme: Tenant, caller_of: MakeCaller, running: Job
) -> None:
    row = hand_over(held(running))
    assert _status(caller_of(acme, [granted]), row) == (
        200 if granted in (Scope.JOBS_READ, Scope.ADMIN) else 403
    )


def test_g10_another_tenants_artifact_a_missing_one_and_a_malformed_id_are_the_same_404(
    acme: Tenant,
    other: Tenant,
    caller_of: MakeCaller,
    running: Job,
    platform: Callable[[str | None], Caller],
) -> None:
    row = hand_over(held(running))
    stranger = caller_of(other)
    for name in (str(row.pk), str(uuid4()), "7", "x" * 36, "%00"):
        answer = stranger.get(f"/artifacts/{name}")
        assert (answer.status, answer.body["detail"]) == (404, "Not found.")
    assert _status(platform("acme"), row) == _status(platform("*"), row) == 200
    assert _status(platform(None), row) == 404


def test_a_token_bound_to_an_owner_reads_that_owners_artifacts_only(
    acme: Tenant, caller_of: MakeCaller, make_job: MakeJob
) -> None:
    eve = caller_of(acme, owner="eve")
    for owner, expected in (("eve", 200), ("bob", 404), ("", 404)):
        job = make_job(acme, Status.PROCESSING, owner=owner)
        assert _status(eve, hand_over(held(job))) == expected


def _status(caller: Caller, row: Artifact) -> int:
    headers = {**caller.headers, "Authorization": f"Bearer {caller.token}"}
    return followed(f"/api/v1/artifacts/{row.pk}", **headers)[0]


def test_a_part_of_it_can_be_had(acme: Tenant, running: Job) -> None:
    row = hand_over(held(running), content=b"0123456789")
    url = links.address(row.pk, acme.pk)

    status, headers, body = followed(url, Range="bytes=2-4")
    assert (status, headers["Content-Range"], body) == (206, "bytes 2-4/10", b"234")
    assert headers["Content-Length"] == "3"
    assert followed(url, **{"Range": "bytes=2-4", "If-Range": headers["ETag"]})[0] == 206
    assert followed(url, **{"Range": "bytes=2-4", "If-Range": '"another"'})[::2] == (
        200, b"0123456789",
    )  # fmt: skip
    assert followed(url, Range="bytes=0-1,4-5")[0] == 200
    status, headers, _ = followed(url, Range="bytes=10-")
    assert (status, headers["Content-Range"]) == (416, "bytes */10")


def test_head_tells_of_it_and_sends_nothing(acme: Tenant, running: Job) -> None:
    row = hand_over(held(running), content=b"0123456789")
    status, headers, body = followed(links.address(row.pk, acme.pk), "HEAD")
    assert (status, headers["Content-Length"], body) == (200, "10", b"")


def test_bytes_that_are_gone_are_404_and_a_storage_that_is_away_is_503(
    acme: Tenant, running: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = hand_over(held(running))
    url = links.address(row.pk, acme.pk)

    def away(*_: object) -> None:
        raise OSError("stale file handle")

    with monkeypatch.context() as patched:
        patched.setattr(ARTIFACTS.storage, "open", away)
        status, headers, _ = followed(url)
        assert (status, "Retry-After" in headers) == (503, True)
    ARTIFACTS.remove([row.storage_name])
    assert followed(url)[0] == 404


def test_a_link_counts_for_the_tenant_whose_artifact_it_is(
    acme: Tenant, running: Job, limits: Settings
) -> None:
    limits.RATE_LIMIT_OTHER = "2/h"
    url = links.address(hand_over(held(running)).pk, acme.pk)
    answers = [followed(url) for _ in range(3)]
    assert [status for status, *_ in answers] == [200, 200, 429]
    assert [headers["X-RateLimit-Remaining"] for _, headers, _ in answers] == ["1", "0", "0"]


def test_a_bad_link_costs_no_query(running: Job, settings: Settings) -> None:
    settings.RATE_LIMIT_ENABLED = True
    row = hand_over(held(running))
    with CaptureQueriesContext(connection) as asked:
        status, headers, _ = followed(f"/api/v1/artifacts/{row.pk}?link=1-9999999999:x")
    assert (status, len(asked), "X-RateLimit-Limit" in headers) == (403, 0, False)


def test_a_good_link_to_what_is_no_more_is_404(acme: Tenant, running: Job) -> None:
    row = hand_over(held(running))
    url = links.address(row.pk, acme.pk)
    row.delete()
    assert followed(url)[0] == 404
