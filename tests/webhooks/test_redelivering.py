"""Sending again, and endpoints that are switched off meanwhile."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEntry, Tenant
from jobs.models import Dependency
from jobs.testing.clock import let_pass
from jobs.webhook_url import without_path
from tests.api.hooked import delivery
from tests.support import answers
from tests.support.receiver import Receiver
from tests.webhooks.making import EVE, deliveries, echoed, endpoint, send, verified
from webhooks import disabling, redelivering, verbs
from webhooks.exceptions import EndpointClosed
from webhooks.models import Delivery, Endpoint
from webhooks.policies import DisabledBecause

pytestmark = pytest.mark.django_db(transaction=True)
ONCE = {"events": ["job.completed"], "retry": {"max_attempts": 1}}


def test_g9_one_that_failed_can_be_sent_again_and_is_the_same(
    acme: Tenant, receiver: Receiver
) -> None:
    receiver.answers(answers.status(500))
    made = endpoint(acme, receiver, **ONCE)
    echoed(acme)
    send()
    (delivery,) = deliveries()
    assert delivery.status == "failed"
    redelivering.redeliver(delivery, EVE)
    send()
    (delivery,) = deliveries()
    assert (delivery.status, delivery.attempts) == ("delivered", 2)
    assert [one.number for one in delivery.log.order_by("number")] == [1, 2]
    first, second = receiver.received
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    verified(second, made.secret)
    assert AuditEntry.objects.filter(action="endpoint.redeliver").exists()


def test_one_that_arrived_can_be_sent_again(acme: Tenant, receiver: Receiver) -> None:
    endpoint(acme, receiver, **ONCE)
    echoed(acme)
    send()
    redelivering.redeliver(deliveries()[0], EVE)
    send()
    assert len(receiver.received) == 2


def test_one_that_is_on_its_way_is_not_sent_twice(acme: Tenant, receiver: Receiver) -> None:
    endpoint(acme, receiver, **ONCE)
    echoed(acme)
    task = deliveries()[0].task_id
    assert redelivering.redeliver(deliveries()[0], EVE).task_id == task
    send()
    assert len(receiver.received) == 1


def test_it_is_signed_with_the_secret_of_now(acme: Tenant, receiver: Receiver) -> None:
    made = endpoint(acme, receiver, **ONCE)
    echoed(acme)
    send()
    secret = verbs.rotate_secret(made.endpoint, EVE, keep_for=0)
    redelivering.redeliver(deliveries()[0], EVE)
    send()
    verified(receiver.received[1], secret)


def test_two_secrets_sign_while_one_replaces_the_other(acme: Tenant, receiver: Receiver) -> None:
    made = endpoint(acme, receiver, **ONCE)
    newer = verbs.rotate_secret(made.endpoint, EVE, keep_for=3600)
    echoed(acme)
    send()
    (request,) = receiver.received
    verified(request, newer)
    verified(request, made.secret)
    assert request.headers["webhook-signature"].count("v1,") == 2


def test_all_that_failed_since_a_time_are_sent_again(acme: Tenant, receiver: Receiver) -> None:
    receiver.otherwise = answers.status(500)
    row = endpoint(acme, receiver, **ONCE).endpoint
    for _ in range(2):
        echoed(acme)
    send()
    Delivery.objects.update(created_at=timezone.now() - timedelta(hours=2))
    for _ in range(3):
        echoed(acme)
    send()
    receiver.otherwise = answers.status(200)
    echoed(acme)
    send()
    since = timezone.now() - timedelta(hours=1)
    assert redelivering.replay(row, EVE, since=since).deliveries == 3
    send()
    assert [one.status for one in deliveries()] == ["failed"] * 2 + ["delivered"] * 4
    both = redelivering.replay(row, EVE, since=since, failed_only=False)
    assert (both.deliveries, both.more) == (4, False)


def test_what_is_sent_again_of_one_job_waits_each_for_the_one_before(
    acme: Tenant, receiver: Receiver
) -> None:
    one = endpoint(acme, receiver, events=["job.completed"]).endpoint
    two = endpoint(acme, receiver, events=["job.completed"]).endpoint
    first, second = uuid4(), uuid4()
    for row in (one, two):
        for job in (first, second, first, second, first, None, None):
            delivery(acme, row, job_id=job)
    since = timezone.now() - timedelta(hours=1)
    for row in (one, two):
        assert redelivering.replay(row, EVE, since=since).deliveries == 7
    edges = Dependency.objects.values_list("job", "depends_on")
    behind: dict[UUID | None, UUID] = dict(edges)
    for row in (one, two):
        for job in (first, second):
            rows = Delivery.objects.filter(endpoint=row, job_id=job).order_by("pk")
            tasks = [each.task_id for each in rows]
            assert [behind.get(task) for task in tasks] == [None, *tasks[:-1]]
    assert len(behind) == 6
    delivery(acme, one, job_id=first)
    assert redelivering.replay(one, EVE, since=since).deliveries == 1
    before, newest = Delivery.objects.filter(endpoint=one, job_id=first).order_by("pk")[2:]
    assert Dependency.objects.get(job=newest.task_id).depends_on_id == before.task_id
    send()
    assert {each.status for each in deliveries()} == {"delivered"}


def test_replays_go_in_pieces(
    acme: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redelivering, "MOST_AT_ONCE", 2)
    receiver.answers(*[answers.status(500)] * 3)
    row = endpoint(acme, receiver, **ONCE).endpoint
    for _ in range(3):
        echoed(acme)
    send()
    since = timezone.now() - timedelta(hours=1)
    done = redelivering.replay(row, EVE, since=since)
    assert (done.deliveries, done.more) == (2, True)
    done = redelivering.replay(row, EVE, since=since)
    assert (done.deliveries, done.more, done.next) == (1, False, None)


def test_a_replay_of_all_goes_on_where_it_ended(
    acme: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redelivering, "MOST_AT_ONCE", 2)
    row = endpoint(acme, receiver, **ONCE).endpoint
    for _ in range(5):
        echoed(acme)
    send()
    since = timezone.now() - timedelta(hours=1)
    done = redelivering.replay(row, EVE, since=since, failed_only=False)
    send()  # delivered again before the next piece is asked for
    rest = redelivering.replay_on(row, EVE, since=since, failed_only=False)
    assert (rest.deliveries, rest.more) == (5, False)
    send()
    after = redelivering.replay(row, EVE, since=since, failed_only=False, after=done.next)
    assert (after.deliveries, after.more) == (2, True)
    send()
    assert [one.attempts for one in deliveries()] == [3, 3, 3, 3, 2]


def test_an_endpoint_that_fails_for_days_is_disabled_and_others_are_told(
    acme: Tenant, receiver: Receiver, settings: Settings
) -> None:
    settings.WEBHOOK_DISABLE_AFTER_SECONDS = 3600
    receiver.otherwise = answers.status(500)
    row = endpoint(acme, receiver, **ONCE).endpoint
    Endpoint.objects.filter(pk=row.pk).update(events=["job.completed", "endpoint.disabled"])
    endpoint(acme, receiver, events=["endpoint.disabled"])
    echoed(acme)
    send()
    assert Endpoint.objects.get(pk=row.pk).enabled
    long_ago = timezone.now() - timedelta(hours=2)
    Endpoint.objects.filter(pk=row.pk).update(failing_since=long_ago, consecutive_failures=9)
    receiver.answers(answers.status(500))
    receiver.otherwise = answers.status(200)
    echoed(acme)
    send()
    row.refresh_from_db()
    assert (row.enabled, row.disabled_because) == (False, "failing")
    told = [one for one in deliveries() if one.event.name == "endpoint.disabled"]
    assert [one.status for one in told] == ["delivered"]  # itself was not to be told
    assert f'"url":"{without_path(row.url)}"' in told[0].event.body
    assert AuditEntry.objects.filter(action="endpoint.disable").exists()


def test_what_a_disabled_endpoint_missed_is_sent_after_it_is_enabled(
    acme: Tenant, receiver: Receiver
) -> None:
    row = endpoint(acme, receiver, **ONCE).endpoint
    disabling.disable(row, DisabledBecause.FAILING)
    echoed(acme)
    send()
    (missed,) = deliveries()
    assert (missed.status, missed.last_error, missed.attempts) == ("failed", "endpoint_disabled", 0)
    assert receiver.received == []
    with pytest.raises(EndpointClosed):
        redelivering.redeliver(missed, EVE)
    verbs.enable(row, EVE)
    redelivering.replay(row, EVE, since=timezone.now() - timedelta(hours=1))
    send()
    assert [one.status for one in deliveries()] == ["delivered"]


def test_what_waits_when_an_endpoint_is_disabled_is_given_up(
    acme: Tenant, receiver: Receiver
) -> None:
    row = endpoint(acme, receiver, **ONCE).endpoint
    echoed(acme)
    disabling.disable(row, DisabledBecause.GONE)
    send()
    assert [(one.status, one.last_error) for one in deliveries()] == [
        ("failed", "endpoint_disabled")
    ]


def test_410_to_a_jobs_own_url_ends_that_delivery_alone(acme: Tenant, receiver: Receiver) -> None:
    receiver.answers(answers.status(410))
    echoed(acme, webhook_url=receiver.url)
    send(skip_waits=True)
    echoed(acme, webhook_url=receiver.url)
    send(skip_waits=True)
    assert [(one.status, one.attempts) for one in deliveries()] == [("failed", 1), ("delivered", 1)]


def test_success_ends_a_row_of_failures(acme: Tenant, receiver: Receiver) -> None:
    receiver.answers(answers.status(500))
    row = endpoint(acme, receiver, events=["job.completed"]).endpoint
    echoed(acme)
    send()
    row.refresh_from_db()
    assert row.is_failing
    assert row.failing_since is not None
    let_pass(timedelta(minutes=2))
    send()
    mended = Endpoint.objects.get(pk=row.pk)
    assert (mended.is_failing, mended.failing_since) == (False, None)
