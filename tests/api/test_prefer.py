"""Prefer: wait=N."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from jobs.api import prefer
from jobs.models import Job
from jobs.states import Status
from tests.api import kinds
from tests.api.calling import Caller

JOB: dict[str, Any] = {"type": kinds.report.name, "payload": {"report_id": 7}}


def test_an_answer_that_waited_in_vain_shows_the_job_as_it_is(caller: Caller) -> None:
    began = time.monotonic()
    answer = caller.post("/jobs", JOB, prefer="wait=1")
    assert 1 <= time.monotonic() - began < 5
    assert (answer.status, answer.body["status"]) == (201, "queued")
    assert answer.headers["Preference-Applied"] == "wait=1"


@pytest.mark.django_db(transaction=True)
def test_an_answer_waits_for_the_end_and_shows_it(caller: Caller) -> None:
    def complete() -> None:
        try:
            while not Job.objects.exists():
                time.sleep(0.01)
            # Seen from another connection: the wait holds no transaction open.
            Job.objects.update(
                status=Status.COMPLETED, completed_at=timezone.now(), result={"ok": True}
            )
        finally:
            connection.close()

    worker = threading.Thread(target=complete)
    worker.start()
    began = time.monotonic()
    answer = caller.post("/jobs", JOB, prefer="respond-async, wait=20", idempotency_key="k")
    worker.join()
    assert time.monotonic() - began < 10
    assert (answer.status, answer.body["status"]) == (201, "completed")
    assert answer.body["result"] == {"ok": True}
    again = caller.post("/jobs", JOB, prefer="wait=20", idempotency_key="k")
    assert (again.body, again.headers["Idempotent-Replay"]) == (answer.body, "true")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=7", 7),
        ("WAIT=7", 0),
        ("wait=31", 30),
        ("wait=999999", 30),
        ('wait="5"', 5),
        ("respond-async; x, wait=5", 5),
        ("await=5", 0),
        ("wait=-5", 0),
        ("wait=5s", 0),
        ("wait", 0),
        ("wait=" + "9" * 5000, 0),
        ("", 0),
    ],
)
def test_a_preference_that_is_not_understood_is_none(
    header: str, seconds: int, monkeypatch: pytest.MonkeyPatch, caller: Caller
) -> None:
    waited: list[float] = []

    def wait(_: object, seconds: float) -> bool:
        waited.append(seconds)
        return True

    monkeypatch.setattr(prefer, "wait_for_end", wait)
    assert caller.post("/jobs", JOB, prefer=header).status == 201
    assert waited == ([seconds] if seconds else [])


def test_where_too_many_wait_the_answer_comes_at_once_and_says_so(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    seats = threading.BoundedSemaphore(1)
    monkeypatch.setattr(prefer, "_SEATS", seats)
    with seats:
        answer = caller.post("/jobs", JOB, prefer="wait=30")
    assert answer.status == 201
    assert "Preference-Applied" not in answer.headers
