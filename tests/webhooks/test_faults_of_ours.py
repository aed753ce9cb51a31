"""Faults on this side, a database that is away or busy, clocks that differ, changes in between,
cost no attempt, lose no event and turn no order round."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection, transaction

from accounts.ids import new_id
from accounts.models import Tenant
from jobs import operations
from jobs.enqueue import enqueue
from jobs.models import Job
from jobs.options import JobOptions
from jobs.states import Status
from jobs.testing import run_inline
from tests.support import answers
from tests.support.receiver import Receiver
from tests.webhooks.making import EVE, deliveries, echoed, endpoint, failed, send
from webhooks import delivering, disabling, handing_in, redelivering, secrets, verbs
from webhooks.models import DeliveryAttempt, Endpoint

pytestmark = pytest.mark.django_db(transaction=True)
ONCE: dict[str, Any] = {"events": ["job.completed"], "retry": {"max_attempts": 1}}


def failing_once(act: Callable[..., Any]) -> Callable[..., Any]:
    left = [OperationalError("server closed the connection unexpectedly")]

    def once(*arguments: Any, **named: Any) -> Any:
        if left:
            raise left.pop()
        return act(*arguments, **named)

    return once


@contextmanager
def held(job: Job) -> Iterator[None]:
    """Somebody else holds the job's row."""
    holds, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Job.objects.select_for_update().get(pk=job.pk)
            holds.set()
            done.wait(60)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert holds.wait(30)
    try:
        yield
    finally:
        done.set()
        thread.join(30)


@pytest.mark.parametrize("where", [(delivering, "_loaded"), (secrets, "signing")])
def test_g9_a_database_that_is_away_for_a_moment_costs_no_attempt(
    acme: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, where: tuple[Any, str]
) -> None:
    endpoint(acme, receiver, **ONCE)
    echoed(acme)
    monkeypatch.setattr(*where, failing_once(getattr(*where)))
    send(skip_waits=True)
    (delivery,) = deliveries()
    assert (delivery.status, delivery.attempts, len(receiver.received)) == ("delivered", 1, 1)


def test_a_job_whose_row_is_held_is_told_of_its_webhook_later(
    acme: Tenant, receiver: Receiver
) -> None:
    endpoint(acme, receiver, **ONCE)
    job = echoed(acme)
    with held(job):
        send()
        (delivery,) = deliveries()
        assert (delivery.status, delivery.attempts) == ("delivered", 1)
        assert Job.objects.get(pk=job.pk).webhook_delivered is False
    send(skip_waits=True)
    job.refresh_from_db()
    assert (job.webhook_delivered, job.webhook_attempts) == (True, 1)
    assert len(receiver.received) == 1


def test_one_that_is_gone_is_disabled_though_the_database_was_away_when_it_said_so(
    acme: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = endpoint(acme, receiver, **ONCE).endpoint
    receiver.answers(answers.status(410))
    echoed(acme)
    monkeypatch.setattr(disabling, "consider", failing_once(disabling.consider))
    send(skip_waits=True)
    assert Endpoint.objects.get(pk=row.pk).disabled_because == "gone"
    assert len(receiver.received) == 1


def test_fewer_attempts_hold_for_what_is_on_its_way(acme: Tenant, receiver: Receiver) -> None:
    receiver.otherwise = answers.status(500)
    retry = {"max_attempts": 3, "backoff_seconds": 1}
    row = endpoint(acme, receiver, events=["job.completed"], retry=retry).endpoint
    echoed(acme)
    verbs.change(row, {"retry": {"max_attempts": 1}}, EVE)
    send(skip_waits=True)
    (delivery,) = deliveries()
    assert (delivery.status, delivery.attempts, len(receiver.received)) == ("failed", 1, 1)
    assert DeliveryAttempt.objects.count() == 1


def test_g9_the_order_of_a_job_does_not_hang_on_the_clocks_of_workers(
    acme: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint(acme, receiver)
    job = enqueue(acme, "diagnostics.fail", {"times": 1}, JobOptions(max_retries=3)).job
    run_inline(job)
    behind = 2000 << 80  # milliseconds, in an id

    monkeypatch.setattr(handing_in, "new_id", lambda: UUID(int=new_id().int - behind))
    run_inline(Job.objects.get(pk=job.pk))
    monkeypatch.undo()
    receiver.answers(answers.status(200), answers.status(200), answers.status(500))
    send(skip_waits=True)
    told = [json.loads(one.body)["event"] for one in receiver.received]
    started = "job.started"
    assert told == [started, "job.retrying", started, started, "job.completed"]


def test_webhook_delivered_is_of_the_newest_end(acme: Tenant, receiver: Receiver) -> None:
    receiver.answers(answers.status(500))
    endpoint(acme, receiver, events=["job.failed"], retry={"max_attempts": 1})
    job = failed(acme)
    send()
    job.refresh_from_db()
    assert (job.webhook_delivered, job.webhook_attempts) == (False, 1)
    operations.retry(job, EVE)
    run_inline(Job.objects.get(pk=job.pk))
    send()
    job.refresh_from_db()
    assert (job.webhook_delivered, job.webhook_attempts) == (True, 2)


def test_an_internal_job_that_is_no_more_the_deliverys_sends_nothing(
    acme: Tenant, receiver: Receiver
) -> None:
    receiver.otherwise = answers.status(500)
    endpoint(acme, receiver, **ONCE)
    echoed(acme)
    send()
    (delivery,) = deliveries()
    assert delivery.task_id is not None
    former = Job.objects.filter(pk=delivery.task_id)
    former.update(status=Status.QUEUED, completed_at=None, dispatched_at=None)  # as rescued
    redelivering.redeliver(delivery, EVE)
    send()
    (delivery,) = deliveries()
    assert (delivery.status, delivery.attempts, len(receiver.received)) == ("failed", 2, 2)


def test_a_traceback_and_a_workers_name_stay_here(acme: Tenant, receiver: Receiver) -> None:
    endpoint(acme, receiver, events=["job.failed"])
    failed(acme, webhook_url=receiver.url)
    send()
    for request in receiver.received:
        data = json.loads(request.body)["data"]
        assert set(data["error"]) == {"type", "message", "details"}
        assert {"payload", "worker", "webhook_url"}.isdisjoint(data)
    assert len(receiver.received) == 2
