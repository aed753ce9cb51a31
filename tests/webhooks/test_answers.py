"""What each answer of a receiver means for its delivery."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import Settings

from accounts.models import Tenant
from jobs.testing.clock import let_pass
from tests.support import answers
from tests.support.receiver import Answer, Receiver
from tests.webhooks.making import deliveries, echoed, endpoint, send, verified
from webhooks.models import DeliveryAttempt, Endpoint

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_completed_job_is_told_signed_and_once(acme: Tenant, receiver: Receiver) -> None:
    made = endpoint(acme, receiver, events=["job.completed", "job.failed"])
    job = echoed(acme, labels={"order": "7"})
    send()
    (request,) = receiver.received
    told = verified(request, made.secret)
    assert told["event"] == "job.completed"
    assert told["data"]["job_id"] == str(job.pk)
    assert told["data"]["status"] == "completed"
    assert told["data"]["result"] == {"n": 1}
    assert told["data"]["labels"] == {"order": "7"}
    assert "payload" not in told["data"]
    (delivery,) = deliveries(job.pk)
    assert (delivery.status, delivery.attempts) == ("delivered", 1)
    assert request.headers["webhook-id"] == str(delivery.event_id)
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("Celeriac/")


@pytest.mark.parametrize("code", [200, 201, 204, 299])
def test_2xx_is_delivered(acme: Tenant, receiver: Receiver, code: int) -> None:
    receiver.answers(answers.status(code))
    endpoint(acme, receiver, events=["job.completed"])
    echoed(acme)
    send()
    (delivery,) = deliveries()
    assert (delivery.status, delivery.last_status_code) == ("delivered", code)


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (answers.status(301, headers={"Location": "https://example.com/"}), "status", 301),
        (answers.status(400), "status", 400),
        (answers.status(500), "status", 500),
        (answers.hang_up, "connection_lost", None),
        (answers.reset, "connection_lost", None),
        (answers.raw(b"SMTP ready\r\n"), "protocol", None),
    ],
)
def test_anything_else_is_tried_three_times_and_kept_as_failed(
    acme: Tenant, receiver: Receiver, answer: Answer, error: str, code: int | None
) -> None:
    receiver.otherwise = answer
    endpoint(acme, receiver, events=["job.completed"])
    echoed(acme)
    send(skip_waits=True)
    (delivery,) = deliveries()
    assert (delivery.status, delivery.attempts) == ("failed", 3)
    assert (delivery.last_error, delivery.last_status_code) == (error, code)
    assert len(receiver.received) == 3
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
    assert len({request.body for request in receiver.received}) == 1


def test_the_second_attempt_waits_for_the_backoff(acme: Tenant, receiver: Receiver) -> None:
    receiver.answers(answers.status(500))
    endpoint(acme, receiver, events=["job.completed"])
    echoed(acme)
    send()
    (delivery,) = deliveries()
    assert delivery.next_attempt_at is not None
    waits = (delivery.next_attempt_at - delivery.log.get().started_at).total_seconds()
    assert 27 <= waits <= 40
    let_pass(timedelta(seconds=20))
    send()
    assert len(receiver.received) == 1
    let_pass(timedelta(seconds=16))
    send()
    assert len(receiver.received) == 2
    assert deliveries()[0].status == "delivered"


def test_an_endpoint_may_have_a_schedule_of_its_own(acme: Tenant, receiver: Receiver) -> None:
    receiver.otherwise = answers.status(503)
    endpoint(acme, receiver, events=["job.completed"], retry={"schedule": [5, 60, 3600, 36_000]})
    echoed(acme)
    send(skip_waits=True)
    (delivery,) = deliveries()
    assert (delivery.status, delivery.attempts) == ("failed", 5)


def test_retry_after_is_heeded(acme: Tenant, receiver: Receiver) -> None:
    receiver.answers(answers.status(429, headers={"Retry-After": "600"}))
    endpoint(acme, receiver, events=["job.completed"])
    echoed(acme)
    send()
    (delivery,) = deliveries()
    assert delivery.next_attempt_at is not None
    wait = (delivery.next_attempt_at - delivery.log.get().started_at).total_seconds()
    assert 600 <= wait <= 610


def test_410_disables_the_endpoint(acme: Tenant, receiver: Receiver) -> None:
    receiver.answers(answers.status(410))
    endpoint(acme, receiver, events=["job.completed"])
    echoed(acme)
    send(skip_waits=True)
    (delivery,) = deliveries()
    assert (delivery.status, delivery.attempts, delivery.last_error) == ("failed", 1, "gone")
    row = Endpoint.objects.get()
    assert (row.enabled, row.disabled_because) == (False, "gone")


def test_an_answer_that_does_not_end_in_time_is_a_failed_attempt(
    acme: Tenant, receiver: Receiver, settings: Settings
) -> None:
    settings.WEBHOOK_TIMEOUT_SECONDS = 0.5
    receiver.otherwise = answers.silent
    endpoint(acme, receiver, events=["job.completed"], retry={"max_attempts": 1})
    echoed(acme)
    send(skip_waits=True)
    (delivery,) = deliveries()
    assert (delivery.status, delivery.last_error) == ("failed", "timed_out")
    assert DeliveryAttempt.objects.get().duration_seconds < 5


def test_the_start_of_the_answer_is_kept(acme: Tenant, receiver: Receiver) -> None:
    receiver.answers(answers.status(400, b"no\x00pe " + b"\xff" + b"x" * 9_000))
    endpoint(acme, receiver, events=["job.completed"], retry={"max_attempts": 1})
    echoed(acme)
    send()
    start = DeliveryAttempt.objects.get().answer_start
    assert start.startswith("no\N{REPLACEMENT CHARACTER}pe ")
    assert len(start) == 1_024
