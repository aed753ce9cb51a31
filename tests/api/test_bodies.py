"""Request bodies: what is no body for us is refused before a view sees it, and writes nothing."""

from __future__ import annotations

import json

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from jobs.models import Job
from tests.api import kinds
from tests.api.calling import PROBLEM, Caller
from tests.api.test_strict_json import BAD

ECHO = {"type": kinds.report.name, "payload": {"report_id": 1}}


@pytest.mark.parametrize("data", [b for b in BAD.values() if len(b) < 300_000])
def test_a_body_that_is_not_strict_json_is_400_and_writes_nothing(
    data: bytes, caller: Caller
) -> None:
    answer = caller.send("/jobs", data)
    assert (answer.status, answer.headers["Content-Type"]) == (400, PROBLEM)
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": "text/plain"},
        {"content_type": "application/x-www-form-urlencoded"},
        {"content_type": "multipart/form-data; boundary=x"},
        {"content_type": "application/xml"},
        {"content_type": "application/json; charset=utf-16"},
        {"content_encoding": "gzip"},
        {"content_encoding": "identity, gzip"},
    ],
)
def test_another_type_charset_or_compression_is_415(
    headers: dict[str, str], caller: Caller
) -> None:
    answer = caller.post("/jobs", ECHO, **headers)
    assert (answer.status, answer.headers["Content-Type"]) == (415, PROBLEM)
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": "application/json; charset=UTF-8"},
        {"content_encoding": "identity"},
        {"accept": "text/html"},
    ],
)
def test_json_by_any_of_its_names_is_taken_and_json_is_answered(
    headers: dict[str, str], caller: Caller
) -> None:
    answer = caller.post("/jobs", ECHO, **headers)
    assert (answer.status, answer.headers["Content-Type"]) == (201, "application/json")


def test_a_body_over_the_limit_is_413_before_it_is_read(caller: Caller, settings: Settings) -> None:
    settings.API_MAX_BODY_BYTES = 100
    answer = caller.send("/jobs", b"\xff" * 101)
    assert (answer.status, answer.headers["Content-Type"]) == (413, PROBLEM)


def test_a_body_at_the_limit_is_taken(caller: Caller, settings: Settings) -> None:
    data = json.dumps(ECHO).encode()
    settings.API_MAX_BODY_BYTES = len(data)
    assert caller.send("/jobs", data).status == 201


def test_a_payload_over_256_kib_is_413_and_writes_nothing(caller: Caller) -> None:
    answer = caller.post(
        "/jobs", {"type": "diagnostics.echo", "payload": {"text": "x" * 256 * 1024}}
    )
    assert answer.status == 413
    assert not Job.objects.exists()


def test_nobody_is_told_about_a_body_without_a_token(
    django_assert_num_queries: DjangoAssertNumQueries, db: None
) -> None:
    with django_assert_num_queries(0):
        assert Caller().send("/jobs", BAD["depth 100,000"]).status == 401
