"""When an endpoint is left alone, and what somebody does who wants it to be tried again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.models import Tenant
from jobs.models import KeyState, Leadership
from jobs.policies import closing
from jobs.policies.circuit import Circuit
from tests.jobs.racing import meanwhile
from tests.support import answers
from tests.support.receiver import Receiver
from tests.webhooks.making import EVE, deliveries, echoed, endpoint, send
from webhooks import disabling, listening, verbs
from webhooks.disabling import LEAST_FAILURES
from webhooks.models import Endpoint
from webhooks.policies import DisabledBecause

pytestmark = pytest.mark.django_db(transaction=True)
ONCE = {"events": ["job.completed"], "retry": {"max_attempts": 1}}


def failed_before(row: Endpoint, times: int) -> None:
    since = timezone.now() - timedelta(days=6)
    Endpoint.objects.filter(pk=row.pk).update(consecutive_failures=times, failing_since=since)


@pytest.mark.parametrize(
    ("before", "is_enabled"), [(1, True), (LEAST_FAILURES - 2, True), (LEAST_FAILURES - 1, False)]
)
def test_a_few_failures_that_are_days_apart_disable_nothing(
    acme: Tenant, receiver: Receiver, before: int, is_enabled: bool
) -> None:
    row = endpoint(acme, receiver, **ONCE).endpoint
    receiver.answers(answers.status(500))
    failed_before(row, before)
    echoed(acme)
    send()
    row.refresh_from_db()
    assert (row.enabled, row.consecutive_failures) == (is_enabled, before + 1)


def test_many_failures_within_hours_disable_nothing(acme: Tenant, receiver: Receiver) -> None:
    row = endpoint(acme, receiver, **ONCE).endpoint
    Endpoint.objects.update(consecutive_failures=1000, failing_since=timezone.now())
    disabling.consider(row, is_gone=False)
    row.refresh_from_db()
    assert row.enabled


def test_who_disables_keeps_no_slot_while_somebody_changes_the_tenants_endpoints(
    acme: Tenant, receiver: Receiver
) -> None:
    row = endpoint(acme, receiver, **ONCE).endpoint
    with meanwhile(lambda: listening.lock(acme.pk)), pytest.raises(OperationalError):
        disabling.disable(row, DisabledBecause.FAILING)
    assert Endpoint.objects.get(pk=row.pk).enabled
    assert disabling.disable(row, DisabledBecause.FAILING)


def test_a_delivery_is_what_it_is_though_its_endpoint_cannot_be_disabled_now(
    acme: Tenant, receiver: Receiver
) -> None:
    row = endpoint(acme, receiver, **ONCE).endpoint
    receiver.answers(answers.status(410))
    echoed(acme)
    with meanwhile(lambda: listening.lock(acme.pk)):
        send()
    assert [(one.status, one.last_error) for one in deliveries()] == [("failed", "gone")]
    send(skip_waits=True)
    row.refresh_from_db()
    assert (row.enabled, row.disabled_because) == (False, "gone")
    assert len(receiver.received) == 1


def enabled_again(row: Endpoint) -> None:
    disabling.disable(row, DisabledBecause.FAILING)
    verbs.enable(row, EVE)


def switched_on_again(row: Endpoint) -> None:
    verbs.change(row, {"enabled": False}, EVE)
    verbs.change(row, {"enabled": True}, EVE)


def moved(row: Endpoint) -> None:
    verbs.change(row, {"url": f"{row.url}/elsewhere"}, EVE)


def asked_for_a_test(row: Endpoint) -> None:
    verbs.test(row, EVE)


def closed(acme: Tenant, receiver: Receiver) -> Endpoint:
    """An endpoint that asked for an hour, and whose circuit breaker is open."""
    row = endpoint(acme, receiver, **ONCE).endpoint
    other = endpoint(acme, receiver, **ONCE).endpoint
    echoed(acme)
    for one in deliveries():
        assert one.task_id is not None
        closing.close(one.task_id, key=None, seconds=3600)
        assert closing.failed(one.task_id, Circuit(failures=1, open_seconds=3600))
    assert {state.key for state in KeyState.objects.all()} == {str(row.pk), str(other.pk)}
    return row


@pytest.mark.parametrize("verb", [enabled_again, switched_on_again, moved, asked_for_a_test])
def test_who_asks_for_an_endpoint_opens_what_was_closed(
    acme: Tenant, receiver: Receiver, verb: Callable[[Endpoint], None]
) -> None:
    row = closed(acme, receiver)
    version = Leadership.objects.get().policy_version
    verb(row)
    assert not KeyState.objects.filter(key=str(row.pk)).exists()
    assert KeyState.objects.count() == 1, "the other one's stays"
    assert Leadership.objects.get().policy_version > version, "the dispatcher reads it anew"


def test_another_change_opens_nothing(acme: Tenant, receiver: Receiver) -> None:
    row = closed(acme, receiver)
    verbs.change(row, {"description": "another", "url": row.url}, EVE)
    assert KeyState.objects.count() == 2


def test_where_nothing_is_closed_the_dispatcher_is_not_asked(
    acme: Tenant, receiver: Receiver
) -> None:
    row = endpoint(acme, receiver, **ONCE).endpoint
    verbs.test(row, EVE)
    verbs.enable(row, EVE)
    assert not Leadership.objects.exclude(policy_version=0).exists()
