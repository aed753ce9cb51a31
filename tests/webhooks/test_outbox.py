"""What becomes an event, for whom, and when: in the transaction of the change, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Tenant
from jobs import lifecycle
from jobs.models import Job, Queue
from jobs.signals import happened
from jobs.testing import run_inline
from tests.jobs.making import queued
from tests.support import answers
from tests.support.receiver import Receiver
from tests.webhooks.making import (
    EVE,
    deliveries,
    echoed,
    endpoint,
    failed,
    send,
    verified,
    waiting,
)
from webhooks import secrets, verbs
from webhooks.bodies import MOST_BYTES, body
from webhooks.models import Delivery, Endpoint, Event

pytestmark = pytest.mark.django_db(transaction=True)


def names(job: Job) -> list[str]:
    return [one.event.name for one in deliveries(job.pk)]


def test_g9_nothing_is_sent_for_a_change_that_was_rolled_back(
    acme: Tenant, receiver: Receiver
) -> None:
    endpoint(acme, receiver)
    job = waiting(acme)

    with transaction.atomic():
        lifecycle.cancel(job.pk, by="user:eve")
        assert Event.objects.exists()
        transaction.set_rollback(True)
    assert not Event.objects.exists()
    assert not Delivery.objects.exists()
    send()
    assert receiver.received == []


def test_nobody_is_told_where_nobody_listens(acme: Tenant) -> None:
    echoed(acme)
    failed(acme)
    assert not Event.objects.exists()


def test_an_endpoint_is_told_from_its_beginning_to_its_end(
    acme: Tenant, receiver: Receiver
) -> None:
    before = echoed(acme)
    made = endpoint(acme, receiver).endpoint
    during = echoed(acme)
    verbs.delete(made, EVE)
    after = echoed(acme)
    assert names(before) == []
    assert names(during) == ["job.started", "job.completed"]
    assert names(after) == []
    send()
    assert receiver.received == []  # nothing goes to an endpoint that is deleted
    assert {one.last_error for one in deliveries()} == {"endpoint_deleted"}


def test_each_end_has_its_event(acme: Tenant, receiver: Receiver) -> None:
    endpoint(acme, receiver)
    cancelled = waiting(acme)
    lifecycle.cancel(cancelled.pk, by="user:eve")
    assert names(failed(acme)) == ["job.started", "job.failed"]
    assert names(cancelled) == ["job.cancelled"]


def test_a_retry_is_told(acme: Tenant, receiver: Receiver) -> None:
    endpoint(acme, receiver, events=["job.retrying"])
    from jobs.enqueue import enqueue

    job = run_inline(enqueue(acme, "diagnostics.fail", {"times": 1}).job)
    assert names(job) == ["job.retrying"]


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"events": ["job.completed"]}, 1),
        ({"events": ["job.failed"]}, 0),
        ({"events": ["job.completed"], "types": ["diagnostics.echo"]}, 1),
        ({"events": ["job.completed"], "types": ["diagnostics.sleep"]}, 0),
        ({"events": ["job.completed"], "queues": ["default"]}, 1),
        ({"events": ["job.completed"], "queues": ["other"]}, 0),
        ({"events": ["job.completed"], "enabled": False}, 0),
    ],
)
def test_an_endpoint_is_told_of_what_it_chose(
    acme: Tenant, receiver: Receiver, fields: dict[str, Any], wanted: int
) -> None:
    Queue.objects.create(name="other")
    endpoint(acme, receiver, **fields)
    assert len(names(echoed(acme))) == wanted


def test_another_tenants_endpoint_is_told_nothing(acme: Tenant, receiver: Receiver) -> None:
    endpoint(acme, receiver)
    echoed(Tenant.objects.create(slug="globex"))
    assert not Event.objects.exists()


def test_a_jobs_own_url_is_told_of_its_end_alone(acme: Tenant, receiver: Receiver) -> None:
    job = echoed(acme, webhook_url=receiver.url)
    assert names(job) == ["job.completed"]
    assert names(failed(acme, webhook_url=receiver.url)) == ["job.failed"]
    assert Endpoint.objects.filter(is_of_jobs=True).count() == 1
    assert not Endpoint.objects.shown().exists()
    secret = verbs.rotate_own_secret(acme, EVE)
    send()
    told = [verified(request, secret) for request in receiver.received]
    assert [one["event"] for one in told] == ["job.completed", "job.failed"]


def test_the_row_of_a_job_says_what_became_of_its_webhook(acme: Tenant, receiver: Receiver) -> None:
    receiver.answers(answers.status(500))
    job = waiting(acme, webhook_url=receiver.url)
    assert (job.webhook_delivered, job.webhook_attempts) == (None, 0)
    job = run_inline(job)
    assert (job.webhook_delivered, job.webhook_attempts) == (False, 0)
    send()
    job.refresh_from_db()
    assert (job.webhook_delivered, job.webhook_attempts) == (False, 1)
    send(skip_waits=True)
    job.refresh_from_db()
    assert (job.webhook_delivered, job.webhook_attempts) == (True, 2)


def test_the_row_speaks_of_endpoints_where_the_job_has_no_url(
    acme: Tenant, receiver: Receiver
) -> None:
    endpoint(acme, receiver)
    job = echoed(acme)
    assert job.webhook_delivered is False
    send()
    job.refresh_from_db()
    assert (job.webhook_delivered, job.webhook_attempts) == (True, 1)  # not of job.started


def test_g9_an_endpoint_hears_of_a_job_in_order(acme: Tenant, receiver: Receiver) -> None:
    receiver.answers(answers.status(500), answers.status(500))
    made = endpoint(acme, receiver)
    job, other = echoed(acme), echoed(acme)
    send()
    first = [json.loads(one.body) for one in receiver.received]
    assert [one["event"] for one in first] == ["job.started", "job.started"]
    send(skip_waits=True)
    for each in (job, other):
        told = [verified(one, made.secret) for one in receiver.received]
        about = [one["event"] for one in told if one["data"]["job_id"] == str(each.pk)]
        assert about == ["job.started", "job.started", "job.completed"]


def test_what_was_given_up_holds_nothing_back(acme: Tenant, receiver: Receiver) -> None:
    receiver.answers(*[answers.status(500)] * 3)
    endpoint(acme, receiver)
    job = echoed(acme)
    send(skip_waits=True)
    assert [one.status for one in deliveries(job.pk)] == ["failed", "delivered"]


def test_a_new_run_is_told_again(acme: Tenant, receiver: Receiver) -> None:
    job = failed(acme, webhook_url=receiver.url)
    lifecycle.revive(job.pk)
    run_inline(job)
    assert names(job) == ["job.failed", "job.failed"]


def test_a_receiver_that_cannot_write_undoes_the_change(
    acme: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint(acme, receiver)
    job = waiting(acme)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr("webhooks.outbox.handing_in.hand_in", broken)
    with pytest.raises(RuntimeError):
        lifecycle.cancel(job.pk, by="user:eve")
    job.refresh_from_db()
    assert job.status == "queued"


def test_secrets_and_payloads_stay_here(acme: Tenant, receiver: Receiver) -> None:
    made = endpoint(acme, receiver, headers={"X-Key": "hunter2"})
    echoed(acme)
    send()
    assert receiver.received[0].headers["x-key"] == "hunter2"
    for event in Event.objects.all():
        assert "payload" not in json.loads(event.body)["data"]
        assert made.secret not in event.body
    row = Endpoint.objects.get()
    assert "hunter2" not in json.dumps(row.headers)
    assert not row.secrets.filter(sealed__contains=made.secret[6:20]).exists()


def test_a_body_is_never_longer_than_it_may_be() -> None:
    from django.utils import timezone

    data = {"job_id": "x", "result": {"text": "é" * MOST_BYTES}, "labels": {}}
    told = json.loads(text := body("job.completed", timezone.now(), data))
    assert len(text.encode()) <= MOST_BYTES
    assert told["data"]["result"] is None
    assert told["data"]["result_url"].endswith("/api/v1/jobs/x")


def test_what_happens_beside_jobs_is_told(acme: Tenant, receiver: Receiver) -> None:
    made = endpoint(acme, receiver)
    with transaction.atomic():
        happened.send(Job, event="schedule.missed", tenant_id=acme.pk, data={"schedule_id": "s"})
    send()
    told = verified(receiver.received[0], made.secret)
    assert (told["event"], told["data"]) == ("schedule.missed", {"schedule_id": "s"})


def test_a_batch_that_ended_is_told(acme: Tenant, receiver: Receiver) -> None:
    from jobs.batches import hand_in
    from jobs.enqueue import JobRequest

    made = endpoint(acme, receiver, events=["batch.completed"])
    items = [JobRequest(type_name="diagnostics.echo", payload={}) for _ in range(2)]
    done = hand_in(acme, items, name="two")
    for job in Job.objects.filter(batch=done.batch.pk):
        run_inline(job)
    send()
    (request,) = receiver.received
    told = verified(request, made.secret)
    assert told["data"]["batch_id"] == str(done.batch.pk)
    assert told["data"]["name"] == "two"


def test_many_jobs_that_end_at_once_take_as_many_statements_as_few(
    acme: Tenant, receiver: Receiver
) -> None:
    endpoint(acme, receiver, events=["job.cancelled"])

    def statements(number: int) -> int:
        jobs = [queued(acme) for _ in range(number)]
        with CaptureQueriesContext(connection) as captured:
            lifecycle.cancel_all([job.pk for job in jobs], by="user:eve")
        return len(captured)

    statements(1)  # the platform's tenant, and what is looked up once
    few, many = statements(2), statements(40)
    assert Delivery.objects.count() == 43
    assert many <= few + 2


def test_an_own_secret_exists_before_anybody_asked_for_it(acme: Tenant, receiver: Receiver) -> None:
    echoed(acme, webhook_url=receiver.url)
    send()
    (request,) = receiver.received
    (secret,) = secrets.signing(acme.pk, Endpoint.objects.get(is_of_jobs=True))
    assert verified(request, secret)["event"] == "job.completed"
