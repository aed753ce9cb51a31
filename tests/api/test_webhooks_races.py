"""Writes about webhooks at the same time: each stands before or after the other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from accounts.models import AuditEntry, Tenant
from jobs.models import Job
from tests.api.calling import Answer, Caller
from tests.api.conftest import MakeCaller
from tests.api.hooked import BY, NEW, READ, SINCE, URL, WRITE, delivery, made
from tests.api.patience import wait_longer
from tests.api.test_schedules_races import at_once, somebody_waits
from tests.support.waiting import wait_for
from webhooks import listening, secrets, verbs
from webhooks.models import Delivery, Endpoint, SigningSecret

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _waits_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is proven is who comes first, not how long anybody waits for it."""
    wait_longer(monkeypatch)


@pytest.fixture
def caller(acme: Tenant, caller_of: MakeCaller) -> Caller:
    return caller_of(acme, [READ, WRITE])


def while_held(tenant: Tenant, call: Callable[[], Answer], held: Callable[[], object]) -> Answer:
    """The answer of `call`, which waits for the tenant's row until `held` is committed."""

    def calling() -> Answer:
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            listening.lock(tenant.pk)
            answer = pool.submit(calling)
            wait_for(somebody_waits, seconds=30, what="the call waits for the row")
            held()
        return answer.result(timeout=60)


def test_of_patches_at_once_none_is_lost(caller: Caller, acme: Tenant) -> None:
    path = f"/webhook-endpoints/{made(acme).pk}"
    changes: list[dict[str, Any]] = [
        {"description": "x"}, {"events": ["job.failed"]}, {"timeout_seconds": 7},
        {"retry": {"max_attempts": 9}}, {"queues": ["default"]}, {"url": f"{URL}/2"},
    ]  # fmt: skip
    answers = at_once(*(lambda one=one: caller.patch(path, one) for one in changes))
    assert [answer.status for answer in answers] == [200] * len(changes)
    after = caller.get(path).body
    expected = {name: value for one in changes for name, value in one.items()}
    assert {name: after[name] for name in expected} == expected
    assert AuditEntry.objects.filter(action="endpoint.change").count() == len(changes)


def test_a_patch_that_waited_changes_what_is_there_then(caller: Caller, acme: Tenant) -> None:
    endpoint = made(acme, headers={"X-A": "one"})
    path = f"/webhook-endpoints/{endpoint.pk}"
    answer = while_held(
        acme,
        lambda: caller.patch(path, {"description": "mine"}),
        lambda: verbs.change(endpoint, {"headers": {"X-A": "two"}, "events": ["job.failed"]}, BY),
    )
    assert answer.status == 200
    assert (answer.body["description"], answer.body["events"]) == ("mine", ["job.failed"])
    after = Endpoint.objects.get()
    endpoint.refresh_from_db()
    assert after.headers == endpoint.headers
    assert AuditEntry.objects.filter(action="endpoint.change").count() == 2


def test_of_secrets_that_are_rotated_at_once_each_signs_and_the_last_one_goes_on(
    caller: Caller, acme: Tenant
) -> None:
    endpoint = made(acme)
    path = f"/webhook-endpoints/{endpoint.pk}"
    answers = at_once(*[lambda: caller.post(f"{path}/rotate-secret")] * 2)
    assert [answer.status for answer in answers] == [200, 200]
    shown = [answer.body["secret"] for answer in answers]
    signing = secrets.signing(acme.pk, endpoint)
    assert len(set(signing)) == 3
    assert set(signing[:2]) == set(shown)
    ends = [one["expires_at"] for one in caller.get(path).body["secrets"]]
    assert [end is None for end in ends] == [True, False, False]


def test_of_very_many_rotations_at_once_the_newest_is_never_the_one_that_is_dropped(
    caller: Caller, acme: Tenant
) -> None:
    endpoint = made(acme)
    path = f"/webhook-endpoints/{endpoint.pk}/rotate-secret"
    answers = at_once(*[lambda: caller.post(path)] * 8)
    assert {answer.status for answer in answers} == {200}
    current = SigningSecret.objects.get(endpoint=endpoint, expires_at=None)
    assert current.pk == max(SigningSecret.objects.values_list("pk", flat=True))
    assert len(secrets.signing(acme.pk, endpoint)) == 5


def test_the_tenants_own_secret_is_rotated_by_two_at_once(caller: Caller, acme: Tenant) -> None:
    answers = at_once(*[lambda: caller.post("/webhook-secret/rotate")] * 2)
    assert sorted(answer.body["expires_at"] is None for answer in answers) == [False, True]
    assert SigningSecret.objects.filter(tenant=acme, endpoint=None, expires_at=None).count() == 1


def test_one_key_makes_one_endpoint_by_many_at_once(caller: Caller) -> None:
    call = lambda: caller.post("/webhook-endpoints", NEW, idempotency_key="k")  # noqa: E731
    answers = at_once(*[call] * 5)
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["id"] for answer in answers}) == 1
    assert sum(answer.body["secret"] is not None for answer in answers) == 1
    assert Endpoint.objects.count() == 1


def test_no_more_are_made_at_once_than_a_tenant_may_have(
    caller: Caller, settings: Settings
) -> None:
    settings.WEBHOOK_ENDPOINTS_PER_TENANT = 2
    answers = at_once(*[lambda: caller.post("/webhook-endpoints", NEW)] * 5)
    assert sorted(answer.status for answer in answers) == [201, 201, 429, 429, 429]


def test_an_endpoint_is_removed_once_by_many_at_once(caller: Caller, acme: Tenant) -> None:
    path = f"/webhook-endpoints/{made(acme).pk}"
    answers = at_once(*[lambda: caller.call("DELETE", path)] * 3)
    assert sorted(answer.status for answer in answers) == [204, 404, 404]


@pytest.mark.parametrize("verb", ["patch", "rotate-secret", "test", "enable", "delete"])
def test_whoever_waited_for_a_removal_finds_nothing(
    verb: str, caller: Caller, acme: Tenant
) -> None:
    endpoint = made(acme)
    path = f"/webhook-endpoints/{endpoint.pk}"
    calls: dict[str, Callable[[], Answer]] = {
        "patch": lambda: caller.patch(path, {"description": "x"}),
        "delete": lambda: caller.call("DELETE", path),
    }
    call = calls.get(verb, lambda: caller.post(f"{path}/{verb}"))
    assert while_held(acme, call, lambda: verbs.delete(endpoint, BY)).status == 404
    assert not Delivery.objects.exists()
    assert not Job.objects.exists()
    assert SigningSecret.objects.count() == 1


def test_a_delivery_is_sent_again_once_by_many_at_once(caller: Caller, acme: Tenant) -> None:
    one = delivery(acme)
    calls = [
        lambda: caller.post(f"/webhook-deliveries/{one.pk}/redeliver"),
        lambda: caller.post(f"/webhook-endpoints/{one.endpoint_id}/replay", SINCE),
    ]
    answers = at_once(*calls * 3)
    assert {answer.status for answer in answers} == {202}
    assert Job.objects.count() == 1
    assert Delivery.objects.get().task_id == Job.objects.get().pk


def test_a_workers_first_use_of_the_tenants_own_secret_waits_for_who_replaces_it(
    acme: Tenant,
) -> None:
    of_job = Endpoint.objects.create(tenant=acme, url=URL, is_of_jobs=True)
    made_now: list[str] = []

    def signing() -> list[str]:
        try:
            return secrets.signing(acme.pk, of_job)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            listening.lock(acme.pk)
            used = pool.submit(signing)
            wait_for(somebody_waits, seconds=30, what="the worker waits for the tenant's row")
            made_now.append(secrets.rotate(acme, None))
        assert used.result(timeout=60) == made_now
    assert SigningSecret.objects.count() == 1
