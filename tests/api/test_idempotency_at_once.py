"""Idempotency-Key: many requests with one key at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from accounts.api import idempotency
from accounts.models import IdempotencyKey, Tenant
from jobs.api import jobs as jobs_api
from jobs.models import Job
from tests.api import kinds
from tests.api.calling import Answer, Caller
from tests.api.limiting import told
from tests.support.waiting import wait_for

JOB: dict[str, Any] = {"type": kinds.report.name, "payload": {"report_id": 7}}
pytestmark = pytest.mark.django_db(transaction=True)


def test_g2_a_hundred_requests_at_once_make_one_job(caller: Caller) -> None:
    start = threading.Barrier(25)

    def send(number: int) -> Answer:
        if number < 25:
            start.wait(timeout=30)
        try:
            return caller.post("/jobs", JOB, idempotency_key="k")
        finally:
            connection.close()

    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(send, range(100)))
    assert Job.objects.count() == 1
    made = [answer for answer in answers if answer.status == 201]
    assert len({answer.body["id"] for answer in made}) == 1
    assert sum("Idempotent-Replay" not in answer.headers for answer in made) == 1
    sent_away = [answer for answer in answers if answer not in made]
    assert {(one.status, one.headers["Retry-After"]) for one in sent_away} <= {(409, "1")}


def test_while_the_first_runs_the_others_wait_and_then_are_told_to_come_again(
    caller: Caller, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 0.2)
    row = {"tenant": acme, "method": "POST", "path": "/api/v1/jobs", "key": "k"}

    def send() -> Answer:
        try:
            return caller.post("/jobs", JOB, idempotency_key="k")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        IdempotencyKey.objects.create(**row, request_sha256=b"")
        answer = pool.submit(send).result(timeout=30)
        transaction.set_rollback(True)
    assert (answer.status, answer.headers["Retry-After"]) == (409, "1")
    assert not Job.objects.exists()
    assert send().status == 201


class Crowd:
    """A first request with the key `k` that has written its job and goes on when it is let, and
    those after it."""

    def __init__(self, caller: Caller, pool: ThreadPoolExecutor) -> None:
        self._caller, self._pool = caller, pool
        self.has_begun, self.may_end = threading.Event(), threading.Event()

    def hold(self, show: Callable[..., Any]) -> Callable[..., Any]:
        def shown(*args: Any) -> Any:
            self.has_begun.set()
            assert self.may_end.wait(timeout=60)
            return show(*args)

        return shown

    def send(self, times: int) -> list[Future[Answer]]:
        return [self._pool.submit(self._send) for _ in range(times)]

    def _send(self) -> Answer:
        try:
            return self._caller.post("/jobs", JOB, idempotency_key="k")
        finally:
            connection.close()


@pytest.fixture
def crowd(caller: Caller, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crowd]:
    """Long waits are for ever, as far as a test can tell."""
    settings.WEB_THREADS = 16
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 60)
    with ThreadPoolExecutor(30) as pool:
        crowd = Crowd(caller, pool)
        monkeypatch.setattr(jobs_api, "shown_job", crowd.hold(jobs_api.shown_job))
        try:
            yield crowd
        finally:
            crowd.may_end.set()


def test_while_the_first_runs_no_more_than_a_quarter_of_the_threads_wait_for_it(
    crowd: Crowd,
) -> None:
    (first,) = crowd.send(1)
    assert crowd.has_begun.wait(timeout=30)
    others = crowd.send(12)
    wait_for(lambda: sum(one.done() for one in others) == 8, seconds=30, what="eight are sent away")
    for one in others:
        if one.done():
            answer = one.result()
            assert (answer.status, answer.headers["Retry-After"]) == (409, "1")
    waiting = [one for one in others if not one.done()]
    crowd.may_end.set()
    made = first.result(timeout=30)
    answers = [one.result(timeout=30) for one in waiting]
    assert [one.status for one in (made, *answers)] == [201] * 5
    assert {one.body["id"] for one in answers} == {made.body["id"]}
    assert Job.objects.count() == 1


def test_the_seats_of_those_who_waited_are_free_again(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 0.1)
    (first,) = crowd.send(1)
    assert crowd.has_begun.wait(timeout=30)
    assert [one.result(timeout=30).status for one in crowd.send(8)] == [409] * 8
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 60)
    others = crowd.send(4)
    wait_for(lambda: _waiting() == 4, seconds=30, what="four wait")
    crowd.may_end.set()
    assert [one.result(timeout=30).status for one in (first, *others)] == [201] * 5


def test_who_is_sent_away_counts_with_the_other_calls_and_a_full_window_ends_it(
    crowd: Crowd, limits: Settings
) -> None:
    limits.RATE_LIMIT_OTHER = "3/m"
    (first,) = crowd.send(1)
    assert crowd.has_begun.wait(timeout=30)
    waiting = crowd.send(4)
    wait_for(lambda: _waiting() == 4, seconds=30, what="four wait")
    sent_away = [crowd.send(1)[0].result(timeout=30) for _ in range(4)]
    assert [one.status for one in sent_away] == [409, 409, 409, 429]
    assert [told(one)[:2] for one in sent_away] == [(3, 2), (3, 1), (3, 0), (3, 0)]
    crowd.may_end.set()
    assert told(first.result(timeout=30))[:2] == (10, 9)
    assert {told(one.result(timeout=30))[:2] for one in waiting} == {(10, 9)}


def _waiting() -> int:
    """How many wait for the key's row in this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND query LIKE '%accounts_idempotencykey%'"
        )
        (count,) = cursor.fetchone()
    return int(count)
