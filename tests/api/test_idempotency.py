"""Idempotency-Key: sent again, nothing is created again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import IdempotencyKey, Tenant
from jobs.models import Job
from tests.api import kinds
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller

JOB: dict[str, Any] = {"type": kinds.report.name, "payload": {"report_id": 7}}


def test_the_same_request_again_gets_the_first_answer_and_makes_no_second_job(
    caller: Caller,
) -> None:
    first = caller.post("/jobs", JOB, idempotency_key="k")
    Job.objects.update(progress_message="the job went on")
    again = caller.post("/jobs", JOB, idempotency_key="k")
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["Idempotent-Replay"] == "true"
    assert "Idempotent-Replay" not in first.headers
    assert Job.objects.count() == 1


def test_the_order_of_keys_and_spaces_do_not_make_another_body(caller: Caller) -> None:
    caller.send(
        "/jobs",
        b'{"type": "diagnostics.echo", "payload": {"a": 1, "b": 2}}',
        idempotency_key="k",
    )
    again = caller.send(
        "/jobs",
        b' {"payload":{"b":2,"a":1},"type":"diagnostics.\\u0065cho"}',
        idempotency_key="k",
    )
    assert again.headers["Idempotent-Replay"] == "true"


def test_another_body_under_the_key_is_422(caller: Caller) -> None:
    caller.post("/jobs", JOB, idempotency_key="k")
    answer = caller.post("/jobs", {**JOB, "payload": {"report_id": 8}}, idempotency_key="k")
    assert answer.pointers == ["/Idempotency-Key"]
    assert Job.objects.count() == 1


def test_keys_of_different_tenants_have_nothing_to_do_with_each_other(
    caller: Caller, other: Tenant, caller_of: MakeCaller
) -> None:
    caller.post("/jobs", JOB, idempotency_key="k")
    answer = caller_of(other).post("/jobs", JOB, idempotency_key="k")
    assert "Idempotent-Replay" not in answer.headers
    assert Job.objects.count() == 2


def test_a_refused_request_leaves_the_key_free(caller: Caller) -> None:
    assert caller.post("/jobs", {**JOB, "type": "nobody.knows"}, idempotency_key="k").status == 422
    assert caller.post("/jobs", JOB, idempotency_key="k").status == 201


def test_after_24_hours_the_key_is_free_again(caller: Caller) -> None:
    caller.post("/jobs", JOB, idempotency_key="k")
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=23, minutes=59))
    assert caller.post("/jobs", JOB, idempotency_key="k").headers["Idempotent-Replay"] == "true"
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=24, minutes=1))
    other_body = {**JOB, "payload": {"report_id": 8}}
    assert caller.post("/jobs", other_body, idempotency_key="k").status == 201
    assert IdempotencyKey.objects.count() == 1
    assert caller.post("/jobs", JOB, idempotency_key="k").status == 422


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "é", "a\x7f", "a\tb"])
def test_a_key_that_is_not_1_to_255_visible_ascii_characters_is_400(
    key: str, caller: Caller
) -> None:
    assert caller.post("/jobs", JOB, idempotency_key=key).status == 400
    assert not Job.objects.exists()


def test_the_longest_and_the_oddest_keys_are_taken(caller: Caller) -> None:
    for key in ("x" * 255, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"):
        assert caller.post("/jobs", JOB, idempotency_key=key).status == 201


@pytest.mark.django_db(transaction=True)
def test_a_job_that_is_undone_takes_its_key_along(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("after the job was written")

    with monkeypatch.context() as patched:
        patched.setattr("jobs.api.jobs.shown_job", fail)
        assert caller.post("/jobs", JOB, idempotency_key="k").status == 500
    assert not Job.objects.exists()
    assert not IdempotencyKey.objects.exists()
    assert caller.post("/jobs", JOB, idempotency_key="k").status == 201
