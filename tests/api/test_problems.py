"""Every error is application/problem+json, and none tells anything internal."""

from __future__ import annotations

from typing import NoReturn

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client
from psycopg.errors import DeadlockDetected, DiskFull, LockNotAvailable, OutOfMemory

from accounts import token_lookup
from tests.api.calling import PROBLEM, Answer, Caller

SECRET = "SELECT secret FROM db-7.internal"


def is_problem(answer: Answer, path: str) -> bool:
    return (
        answer.headers["Content-Type"] == PROBLEM
        and set(answer.body) == {"type", "title", "status", "detail", "instance", "errors"}
        and answer.body["status"] == answer.status
        and answer.body["instance"] == f"/api/v1{path}"
    )


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize("path", ["/nothing", "/jobs/", "//jobs", "/", "", "/jobs/1/2/3", "/%00"])
def test_an_unknown_route_is_a_404_problem(method: str, path: str) -> None:
    answer = Caller().call(method, path)
    assert (answer.status, answer.headers["Content-Type"]) == (404, PROBLEM)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/jobs"),
        ("DELETE", "/jobs"),
        ("OPTIONS", "/jobs"),
        ("TRACE", "/jobs"),
        ("BREW", "/jobs"),
        ("POST", "/workers"),
        ("GET", "/jobs/0/cancel"),
    ],
)
def test_another_method_is_a_405_problem_that_names_those_allowed(
    method: str, path: str, caller: Caller
) -> None:
    answer = caller.call(method, path)
    assert answer.status == 405
    assert is_problem(answer, path)
    assert answer.headers["Allow"]


def test_the_method_cannot_be_overridden(caller: Caller) -> None:
    answer = caller.post("/workers", None, x_http_method_override="GET")
    assert answer.status == 405


def broken(error: Exception, monkeypatch: pytest.MonkeyPatch, caller: Caller) -> Answer:
    def fail(*_: object) -> NoReturn:
        raise error

    monkeypatch.setattr("jobs.api.jobs.jobs_of", fail)
    return caller.get("/jobs")


def test_a_mistake_of_ours_is_logged_and_tells_nothing(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answer = broken(ValueError(SECRET), monkeypatch, caller)
    assert answer.status == 500
    assert is_problem(answer, "/jobs")
    assert "secret" not in str(answer.body)
    assert SECRET in caplog.text


@pytest.mark.parametrize("error", [OperationalError(SECRET), InterfaceError(SECRET)])
def test_while_the_database_is_away_the_answer_is_503_with_retry_after(
    error: Exception, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = broken(error, monkeypatch, caller)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert is_problem(answer, "/jobs")
    assert "internal" not in str(answer.body)


@pytest.mark.parametrize("cause", [LockNotAvailable, DeadlockDetected])
def test_a_row_that_somebody_else_holds_is_409_with_retry_after(
    cause: type[Exception], caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = OperationalError(SECRET)
    error.__cause__ = cause(SECRET)
    answer = broken(error, monkeypatch, caller)
    assert (answer.status, answer.headers["Retry-After"]) == (409, "2")
    assert "internal" not in str(answer.body)


@pytest.mark.parametrize("cause", [OutOfMemory, DiskFull])
def test_a_database_without_room_is_told_from_one_that_is_away(
    cause: type[Exception],
    caller: Caller,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = OperationalError("no shared memory")
    error.__cause__ = cause()
    answer = broken(error, monkeypatch, caller)
    assert (answer.status, answer.body["detail"]) == (
        503, "The database has no room for this now."
    )  # fmt: skip
    assert "lacks a resource: no shared memory" in caplog.text


def test_a_database_that_goes_away_before_the_token_is_known_is_503_too(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise OperationalError(SECRET)

    monkeypatch.setattr(token_lookup, "found", fail)
    assert caller.get("/me").status == 503


@pytest.mark.django_db
def test_what_fails_before_any_view_is_a_problem_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Client().get("/api/v1/jobs", headers={"host": "evil.test"})
    assert (host.status_code, host["Content-Type"]) == (400, PROBLEM)

    def fail(*_: object) -> NoReturn:
        raise OperationalError(SECRET)

    client = Client(raise_request_exception=False)
    monkeypatch.setattr("django.middleware.common.CommonMiddleware.process_request", fail)
    away = client.get("/api/v1/jobs")
    assert (away.status_code, away["Content-Type"], away["Retry-After"]) == (503, PROBLEM, "5")
    assert "internal" not in away.content.decode()


@pytest.mark.django_db
def test_outside_the_api_the_pages_are_djangos() -> None:
    assert Client().get("/nothing")["Content-Type"].startswith("text/html")
    host = Client().get("/nothing", headers={"host": "evil.test"})
    assert host["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("address", "leads_to"), [("/", "/admin/"), ("/api/v1/docs", "/api/v1/docs/")]
)
def test_what_people_type_leads_somewhere(address: str, leads_to: str) -> None:
    answer = Client().get(address)

    assert (answer.status_code, answer["Location"]) == (302, leads_to)
