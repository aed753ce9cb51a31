"""What is old goes, however much there is, and nothing that is still needed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import Tenant
from tests.jobs.racing import meanwhile
from tests.support import answers
from tests.support.receiver import Receiver
from tests.webhooks.making import EVE, deliveries, echoed, endpoint, send
from webhooks import housekeeping, leftovers, redelivering, verbs
from webhooks.housekeeping import ROUND_SECONDS, Housekeeping
from webhooks.models import Delivery, DeliveryAttempt, Endpoint, Event, SigningSecret

pytestmark = pytest.mark.django_db(transaction=True)
KEPT = timedelta(days=settings.RETENTION_DELIVERY_DAYS)
DAY = timedelta(days=1)


class Clock:
    """Each look at it takes a while."""

    def __init__(self, a_look: float = 0.0) -> None:
        self.now, self._a_look = 0.0, a_look

    def __call__(self) -> float:
        self.now += self._a_look
        return self.now


def old_events(tenant: Tenant, number: int, *, told: Endpoint | None) -> None:
    """Each a little older than the next; where it is told to somebody, with its log."""
    with connection.cursor() as cursor:
        cursor.execute("""
            INSERT INTO webhooks_event (id, tenant_id, name, body, created_at)
            SELECT gen_random_uuid(), %s, 'job.completed', '{}',
                   now() - interval '90 days' - n * interval '1 second'
              FROM generate_series(1, %s) AS n""", [tenant.pk, number])  # fmt: skip
        if told:
            cursor.execute("""
                WITH delivery AS (
                    INSERT INTO webhooks_delivery (id, tenant_id, event_id, endpoint_id, event_name,
                           status, attempts, last_error, created_at, ended_at)
                    SELECT gen_random_uuid(), tenant_id, id, %s, name, 'failed', 1, '', created_at,
                           created_at
                      FROM webhooks_event
                     WHERE id NOT IN (SELECT event_id FROM webhooks_delivery)
                    RETURNING id
                )
                INSERT INTO webhooks_deliveryattempt (delivery_id, number, url, started_at,
                       duration_seconds, error, message, answer_start)
                SELECT id, 1, '', now(), 1, '', '', '' FROM delivery""", [told.pk])  # fmt: skip
        cursor.execute("ANALYZE webhooks_event, webhooks_delivery, webhooks_endpoint")


def old_endpoints(tenant: Tenant, number: int, *, of_jobs: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute("""
            INSERT INTO webhooks_endpoint (id, tenant_id, url, description, events, types, queues,
                   headers, is_of_jobs, enabled, disabled_because, consecutive_failures, created_by,
                   created_at)
            SELECT gen_random_uuid(), %s, 'https://a.example/' || gen_random_uuid(), '',
                   '{}', '{}', '{}', '{}', %s, true, '', 0, '', now() - interval '90 days'
              FROM generate_series(1, %s) AS n""", [tenant.pk, of_jobs, number])  # fmt: skip
        cursor.execute("ANALYZE webhooks_endpoint")


def aged(**since: timedelta) -> None:
    """So long ago is what there is."""
    ago = timezone.now() - KEPT - DAY
    Delivery.objects.exclude(ended_at=None).update(ended_at=ago)
    Event.objects.update(created_at=ago)


def test_all_of_a_platform_that_is_busy_goes_in_one_round(acme: Tenant, receiver: Receiver) -> None:
    row = endpoint(acme, receiver).endpoint
    old_events(acme, 12_000, told=row)
    keeper = Housekeeping(Clock())
    while keeper.run():
        pass
    counts = [model.objects.count() for model in (Delivery, DeliveryAttempt, Event)]
    assert counts == [0, 0, 0]


def test_a_run_is_over_soon_and_the_next_one_goes_on(acme: Tenant, receiver: Receiver) -> None:
    old_events(acme, 1500, told=endpoint(acme, receiver).endpoint)
    clock = Clock(a_look=1.0)  # slower than any share of a second
    keeper = Housekeeping(clock)
    assert keeper.run() == leftovers.BATCH
    assert Delivery.objects.count() == 1500 - leftovers.BATCH
    while Event.objects.exists():
        assert keeper.run() or Event.objects.exists()


def test_after_a_round_it_rests(acme: Tenant, receiver: Receiver) -> None:
    clock = Clock()
    keeper = Housekeeping(clock)
    assert keeper.run() == 0
    old_events(acme, 1, told=None)
    clock.now += ROUND_SECONDS - 1
    assert keeper.run() == 0
    clock.now += 1
    assert keeper.run() == 1


def test_what_is_kept_yet_and_what_is_on_its_way_stays(acme: Tenant, receiver: Receiver) -> None:
    endpoint(acme, receiver, events=["job.completed"])
    echoed(acme)
    send()
    echoed(acme)
    Event.objects.update(created_at=timezone.now() - KEPT - DAY)
    housekeeping.run_to_the_end()
    assert (Delivery.objects.count(), Event.objects.count()) == (2, 2)
    aged()
    assert housekeeping.run_to_the_end() == {
        "deliveries": 1, "events": 1, "unused urls of jobs": 0, "endpoints": 0, "secrets": 0,
    }  # fmt: skip
    assert [one.status for one in deliveries()] == ["pending"]


def test_an_event_that_is_yet_to_be_told_stays(acme: Tenant) -> None:
    old_events(acme, 2, told=None)
    first = Event.objects.order_by("pk")[0]
    Event.objects.filter(pk=first.pk).update(due=[first.pk])
    housekeeping.run_to_the_end()
    assert [one.pk for one in Event.objects.all()] == [first.pk]


def test_one_that_is_sent_again_at_that_moment_stays(acme: Tenant, receiver: Receiver) -> None:
    receiver.answers(answers.status(500))
    endpoint(acme, receiver, events=["job.completed"], retry={"max_attempts": 1})
    echoed(acme)
    send()
    aged()
    (delivery,) = deliveries()
    with meanwhile(lambda: redelivering.redeliver(delivery, EVE)):
        assert not housekeeping.run_to_the_end().total()
    send()
    (delivery,) = deliveries()
    assert (delivery.status, delivery.attempts, delivery.log.count()) == ("delivered", 2, 2)


def test_one_that_somebody_holds_keeps_back_no_other(acme: Tenant, receiver: Receiver) -> None:
    old_events(acme, 5, told=endpoint(acme, receiver).endpoint)
    held = deliveries()[0]
    with meanwhile(lambda: Delivery.objects.select_for_update().get(pk=held.pk)):
        assert housekeeping.run_to_the_end()["deliveries"] == 4
    assert [one.pk for one in deliveries()] == [held.pk]


def test_a_url_that_jobs_brought_goes_after_the_last_of_its_log(
    acme: Tenant, receiver: Receiver
) -> None:
    echoed(acme, webhook_url=receiver.url)
    send()
    Endpoint.objects.update(created_at=timezone.now() - 2 * KEPT)
    housekeeping.run_to_the_end()
    assert Endpoint.objects.get().deleted_at is None
    aged()
    assert housekeeping.run_to_the_end()["unused urls of jobs"] == 1
    housekeeping.run_to_the_end()
    assert Endpoint.objects.count() == 1, "who found it before may still tell it something"
    Endpoint.objects.update(deleted_at=timezone.now() - 2 * DAY)
    assert housekeeping.run_to_the_end()["endpoints"] == 1
    assert not Endpoint.objects.exists()


def test_an_endpoint_goes_with_its_secrets_and_not_before_its_log(
    acme: Tenant, receiver: Receiver
) -> None:
    row = endpoint(acme, receiver, events=["job.completed"]).endpoint
    verbs.rotate_secret(row, EVE)
    echoed(acme)
    send()
    verbs.delete(row, EVE)
    Endpoint.objects.update(deleted_at=timezone.now() - 2 * DAY)
    assert housekeeping.run_to_the_end()["endpoints"] == 0
    aged()
    with meanwhile(lambda: Endpoint.objects.select_for_update().get(pk=row.pk)):
        assert housekeeping.run_to_the_end()["endpoints"] == 0
    assert SigningSecret.objects.count() == 2
    assert housekeeping.run_to_the_end()["endpoints"] == 1
    assert not SigningSecret.objects.exists()


def test_a_secret_goes_a_day_after_it_signed_for_the_last_time(
    acme: Tenant, receiver: Receiver
) -> None:
    row = endpoint(acme, receiver).endpoint
    verbs.rotate_secret(row, EVE, keep_for=0)
    assert housekeeping.run_to_the_end()["secrets"] == 0
    past = timezone.now() - 2 * DAY
    SigningSecret.objects.exclude(expires_at=None).update(expires_at=past)
    assert housekeeping.run_to_the_end()["secrets"] == 1
    assert SigningSecret.objects.get().expires_at is None


def test_a_kind_that_fails_keeps_none_of_the_others(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "DELIVERIES", "nonsense")
    old_events(acme, 1, told=None)
    keeper = Housekeeping(Clock())
    with pytest.raises(Exception, match="nonsense"):
        keeper.run()
    assert keeper.run() == 1


def test_rows_that_only_the_walk_gets_past_are_not_looked_at_twice(
    acme: Tenant, receiver: Receiver
) -> None:
    """Old events whose deliveries are kept stand in front of those that can go."""
    old_events(acme, leftovers.PAGE + 100, told=endpoint(acme, receiver).endpoint)
    Delivery.objects.update(ended_at=timezone.now())
    gone = Event.objects.order_by("-created_at")[0]
    Delivery.objects.filter(event=gone).delete()
    walk = leftovers.events()
    assert walk.step() == 0
    assert not walk.is_over
    assert walk.step() == 1
    assert walk.is_over
