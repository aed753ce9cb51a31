"""What an Idempotency-Key costs: the first request with it counts, what is told of it is free."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.urls import resolve

from accounts.models import IdempotencyKey, Tenant
from jobs.models import Job
from jobs.states import Status
from tests.api.calling import Answer, Caller
from tests.api.conftest import MakeCaller, MakeJob
from tests.api.limiting import JOB, statuses, told
from tests.api.test_schema import schema
from tests.support.forms import FORM, form, part

pytestmark = pytest.mark.usefixtures("limits")


def test_a_replay_does_not_count_not_even_when_the_window_is_full(caller: Caller) -> None:
    first = caller.post("/jobs", JOB, idempotency_key="k")
    assert told(first)[1] == 9
    replays = [caller.post("/jobs", JOB, idempotency_key="k") for _ in range(12)]
    assert {told(one)[1] for one in replays} == {9}
    statuses(caller, "/jobs", JOB, 9)
    again = caller.post("/jobs", JOB, idempotency_key="k")
    assert (again.status, again.body) == (201, first.body)
    assert told(again)[:2] == (10, 0)


def test_another_body_under_a_known_key_counts(caller: Caller) -> None:
    caller.post("/jobs", JOB, idempotency_key="k")
    other = {**JOB, "payload": {"report_id": 8}}
    answers = [caller.post("/jobs", other, idempotency_key="k") for _ in range(10)]
    assert [one.status for one in answers] == [422] * 9 + [429]
    assert told(answers[0])[:2] == (10, 8)


def test_another_file_under_a_known_key_counts(caller: Caller) -> None:
    def upload(text: bytes) -> Answer:
        headers = {"Content-Type": FORM, "Idempotency-Key": "k"}
        body = form(part(text, name="file", filename="a.txt"))
        return caller.call("POST", "/files", data=body, headers=headers)

    answers = [upload(text) for text in (b"one", b"two", b"one")]
    assert [one.status for one in answers] == [201, 422, 201]
    assert [told(one)[1] for one in answers] == [9, 8, 8]


def test_a_new_key_is_refused_when_the_window_is_full_and_stays_free(caller: Caller) -> None:
    statuses(caller, "/jobs", JOB, 10)
    assert caller.post("/jobs", JOB, idempotency_key="new").status == 429
    assert not IdempotencyKey.objects.exists()


def test_a_key_of_another_tenant_opens_nothing(
    caller: Caller, other: Tenant, caller_of: MakeCaller
) -> None:
    caller_of(other).post("/jobs", JOB, idempotency_key="k")
    statuses(caller, "/jobs", JOB, 10)
    assert caller.post("/jobs", JOB, idempotency_key="k").status == 429


def test_keys_save_nobody_who_is_refused_for_the_body(caller: Caller) -> None:
    answers = [
        caller.post("/jobs", {"type": 1}, idempotency_key=uuid4().hex).status for _ in range(11)
    ]
    assert answers == [422] * 10 + [429]


def test_keys_save_nobody_who_is_refused_for_the_key(caller: Caller) -> None:
    answers = [caller.post("/jobs", JOB, idempotency_key="no good").status for _ in range(11)]
    assert answers == [400] * 10 + [429]


def test_where_no_key_is_kept_one_changes_nothing(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, Status.FAILED)
    answers = [caller.post(f"/jobs/{job.pk}/retry", idempotency_key="k").status for _ in range(11)]
    assert answers == [200] + [409] * 9 + [429]


@pytest.mark.django_db(transaction=True)
def test_a_hundred_at_once_with_one_key_count_once(caller: Caller) -> None:
    def send(key: str) -> int:
        try:
            return caller.post("/jobs", JOB, idempotency_key=key).status
        finally:
            connection.close()

    with ThreadPoolExecutor(25) as pool:
        assert set(pool.map(send, ["k"] * 100)) <= {201, 409}
    assert told(caller.post("/jobs", JOB))[1] == 8


@pytest.mark.django_db(transaction=True)
def test_a_hundred_at_once_with_as_many_keys_make_ten_jobs(caller: Caller) -> None:
    def send(key: str) -> int:
        try:
            return caller.post("/jobs", JOB, idempotency_key=key).status
        finally:
            connection.close()

    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(send, map(str, range(100))))
    assert (answers.count(201), answers.count(429)) == (10, 90)
    assert (Job.objects.count(), IdempotencyKey.objects.count()) == (10, 10)


def test_a_file_counts_once_with_a_key_and_without(caller: Caller) -> None:
    body = form(part(b"text", name="file", filename="a.txt"))
    headers = {"Content-Type": FORM}
    plain = caller.call("POST", "/files", data=body, headers=headers)
    keyed = [
        caller.call("POST", "/files", data=body, headers={**headers, "Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert [one.status for one in (plain, *keyed)] == [201] * 3
    assert [told(one)[1] for one in (plain, *keyed)] == [9, 8, 8]


def test_the_views_that_take_keys_are_those_whose_calls_say_so() -> None:
    for path, item in schema()["paths"].items():
        taken = [one["name"] for one in item.get("post", {}).get("parameters", [])]
        view: Any = resolve(path).func
        assert view.view_class.keyed == ("Idempotency-Key" in taken), path
