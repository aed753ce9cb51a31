"""POST /webhook-endpoints/{id}/rotate-secret, /test, /enable, /replay; /webhook-secret/rotate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.api.moment import shown
from accounts.models import Tenant
from accounts.scopes import Scope
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller
from tests.api.hooked import READ, SINCE, WRITE, delivery, made
from tests.support.receiver import Receiver
from tests.webhooks.making import deliveries, echoed, send, verified
from webhooks import disabling, redelivering
from webhooks.models import Delivery, Endpoint
from webhooks.policies import DisabledBecause

WEEK = 604_800


@pytest.fixture
def caller(acme: Tenant, caller_of: MakeCaller) -> Caller:
    return caller_of(acme, [READ, WRITE, Scope.JOBS_READ])


@pytest.fixture
def receiver(settings: Settings) -> Any:
    with Receiver() as receiver:
        settings.EGRESS_ALLOW = [receiver.address]
        yield receiver


def seconds_to(moment: str) -> float:
    return (datetime.fromisoformat(moment) - timezone.now()).total_seconds()


@pytest.mark.parametrize(
    ("body", "seconds"), [(None, 86_400), ({}, 86_400), ({"keep_seconds": 60}, 60),
                          ({"keep_seconds": WEEK}, WEEK)],
)  # fmt: skip
def test_a_new_secret_signs_beside_the_one_before_for_as_long_as_was_said(
    body: Any, seconds: int, caller: Caller, acme: Tenant
) -> None:
    path = f"/webhook-endpoints/{made(acme).pk}"
    before = caller.get(path).body["secrets"]
    answer = caller.post(f"{path}/rotate-secret", body)
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    assert seconds - 60 < seconds_to(answer.body["expires_at"]) <= seconds
    newest, former = caller.get(path).body["secrets"]
    assert newest["expires_at"] is None
    assert former == {**before[0], "expires_at": answer.body["expires_at"]}


def test_kept_for_no_time_the_secret_before_signs_no_more(caller: Caller, acme: Tenant) -> None:
    path = f"/webhook-endpoints/{made(acme).pk}"
    answer = caller.post(f"{path}/rotate-secret", {"keep_seconds": 0})
    assert seconds_to(answer.body["expires_at"]) <= 0
    assert [one["expires_at"] for one in caller.get(path).body["secrets"]] == [None]


def test_whatever_is_kept_is_kept_no_longer_than_was_said_last(
    caller: Caller, acme: Tenant
) -> None:
    """Who rotates because a secret leaked may have rotated once before."""
    path = f"/webhook-endpoints/{made(acme).pk}"
    caller.post(f"{path}/rotate-secret")
    caller.post(f"{path}/rotate-secret", {"keep_seconds": 60})
    ends = [one["expires_at"] for one in caller.get(path).body["secrets"]]
    assert ends[0] is None
    assert [0 < seconds_to(one) <= 60 for one in ends[1:]] == [True, True]
    answer = caller.post(f"{path}/rotate-secret", {"keep_seconds": 3_600})
    _, *former = caller.get(path).body["secrets"]
    assert [seconds_to(one["expires_at"]) > 60 for one in former] == [True, False, False]
    assert answer.body["expires_at"] == former[0]["expires_at"]
    caller.post(f"{path}/rotate-secret", {"keep_seconds": 0})
    assert [one["expires_at"] for one in caller.get(path).body["secrets"]] == [None]


@pytest.mark.parametrize("seconds", [-1, WEEK + 1, 1.5, "60", None, True])
@pytest.mark.parametrize(
    "path", ["/webhook-endpoints/{id}/rotate-secret", "/webhook-secret/rotate"]
)
def test_a_time_that_is_wrong_is_pointed_to(
    path: str, seconds: Any, caller: Caller, acme: Tenant
) -> None:
    answer = caller.post(path.replace("{id}", str(made(acme).pk)), {"keep_seconds": seconds})
    assert answer.pointers == ["/keep_seconds"]


def test_the_tenants_own_secret_is_shown_when_it_is_replaced_and_never_again(
    caller: Caller,
) -> None:
    first = caller.post("/webhook-secret/rotate", idempotency_key="k")
    again = caller.post("/webhook-secret/rotate", idempotency_key="k")
    second = caller.post("/webhook-secret/rotate")
    assert first.body["expires_at"] is None
    assert again.body == {"secret": None, "expires_at": None}
    assert first.body["secret"] != second.body["secret"]
    assert seconds_to(second.body["expires_at"]) > 86_000


@pytest.mark.django_db(transaction=True)
def test_a_test_is_sent_signed_by_both_secrets_whatever_the_endpoint_listens_to(
    caller: Caller, receiver: Receiver
) -> None:
    new = {"url": receiver.url, "events": ["job.failed"], "headers": {"X-Desk": "orders"}}
    endpoint = caller.post("/webhook-endpoints", new).body
    path = f"/webhook-endpoints/{endpoint['id']}"
    second = caller.post(f"{path}/rotate-secret").body["secret"]
    answer = caller.post(f"{path}/test", idempotency_key="k")
    assert caller.post(f"{path}/test", idempotency_key="k").body == answer.body
    assert answer.status == 202
    assert (answer.body["event"], answer.body["status"]) == ("endpoint.test", "pending")
    send()
    (request,) = receiver.received
    for secret in (endpoint["secret"], second):
        assert verified(request, secret)["data"]["endpoint_id"] == endpoint["id"]
    assert request.headers["x-desk"] == "orders"
    assert request.headers["webhook-id"] == answer.body["event_id"]
    told = caller.get(f"/webhook-deliveries/{answer.body['id']}").body
    assert (told["status"], told["last_status_code"]) == ("delivered", 200)
    assert told["body"] == request.body.decode()
    assert [(one["number"], one["status_code"], one["error"]) for one in told["log"]] == [
        (1, 200, None)
    ]
    counted = caller.get(path).body["statistics"]
    assert (counted["delivered"], counted["success_rate"]) == (1, 1.0)
    assert counted["seconds_p50"] > 0


def test_to_an_endpoint_that_is_off_nothing_is_sent(caller: Caller, acme: Tenant) -> None:
    endpoint = made(acme, enabled=False)
    sent = delivery(acme, endpoint)
    path = f"/webhook-endpoints/{endpoint.pk}"
    for answer in (
        caller.post(f"{path}/test"),
        caller.post(f"{path}/replay", SINCE),
        caller.post(f"/webhook-deliveries/{sent.pk}/redeliver"),
    ):
        assert (answer.status, answer.body["type"]) == (
            409, "urn:celeriac:problem:transition-refused",
        )  # fmt: skip
    assert [one.status for one in Delivery.objects.all()] == ["failed"]


@pytest.mark.django_db(transaction=True)
def test_an_endpoint_that_failed_is_switched_on_and_sent_what_it_missed(
    caller: Caller, acme: Tenant, receiver: Receiver
) -> None:
    endpoint = made(acme, url=receiver.url, events=["job.completed"])
    since = shown(timezone.now())
    disabling.disable(endpoint, DisabledBecause.FAILING)
    Endpoint.objects.update(consecutive_failures=7, failing_since=timezone.now())
    jobs = [str(echoed(acme).pk) for _ in range(3)]
    path = f"/webhook-endpoints/{endpoint.pk}"
    off = caller.get(path).body
    assert (off["enabled"], off["disabled_because"]) == (False, "failing")
    found = caller.get("/webhook-deliveries", status="failed").body["items"]
    assert {one["last_error"] for one in found} == {"endpoint_disabled"}
    answer = caller.post(f"{path}/enable", {"replay_since": since})
    assert (answer.status, answer.body["replayed"]) == (
        200,
        {"deliveries": 3, "more": False, "next": None},
    )
    assert (answer.body["enabled"], answer.body["disabled_at"]) == (True, None)
    assert (answer.body["consecutive_failures"], answer.body["failing_since"]) == (0, None)
    send()
    assert sorted(str(one.job_id) for one in deliveries() if one.status == "delivered") == jobs
    assert len(receiver.received) == 3
    again = caller.post(f"{path}/enable")
    assert (again.status, "replayed" in again.body) == (200, False)


def test_a_replay_is_of_what_failed_or_of_all_in_a_span(
    caller: Caller, acme: Tenant, settings: Settings
) -> None:
    endpoint = made(acme)
    for status in ("failed", "delivered", "failed"):
        delivery(acme, endpoint, status=status)
    delivery(acme)  # another's
    path, now = f"/webhook-endpoints/{endpoint.pk}/replay", timezone.now()

    def answered(**body: Any) -> Any:
        answer = caller.post(path, body)
        assert answer.status == 202
        return answer.body

    future, past = shown(now + timedelta(hours=2)), shown(now - timedelta(hours=2))
    none = {"deliveries": 0, "more": False, "next": None}
    assert answered(since=future) == none
    assert answered(since=past, until=shown(now - timedelta(hours=1))) == none
    assert answered(since=past, until=future) == {"deliveries": 2, "more": False, "next": None}
    assert answered(since=past) == none  # they are on their way
    assert answered(since=past, status="all") == {"deliveries": 1, "more": False, "next": None}
    assert Delivery.objects.filter(endpoint=endpoint, status="pending").count() == 3


def test_of_very_many_a_replay_takes_some_and_says_that_there_are_more(
    caller: Caller, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redelivering, "MOST_AT_ONCE", 2)
    endpoint = made(acme)
    for _ in range(3):
        delivery(acme, endpoint)
    path = f"/webhook-endpoints/{endpoint.pk}/replay"
    first = caller.post(path, SINCE).body
    assert (first["deliveries"], first["more"]) == (2, True)
    assert caller.post(path, {**SINCE, "after": "no id"}).status == 422
    assert caller.post(path, {**SINCE, "after": first["next"]}).body == {
        "deliveries": 1,
        "more": False,
        "next": None,
    }


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/since"),
        ({"since": None}, "/since"),
        ({"since": "yesterday"}, "/since"),
        ({"since": "2026-01-01T00:00:00"}, "/since"),
        ({**SINCE, "until": "x"}, "/until"),
        ({**SINCE, "until": SINCE["since"]}, "/until"),
        ({**SINCE, "status": "pending"}, "/status"),
        ({**SINCE, "colour": 1}, "/colour"),
    ],
)
def test_a_replay_that_is_wrong_is_pointed_to(
    body: dict[str, Any], pointer: str, caller: Caller, acme: Tenant
) -> None:
    path = f"/webhook-endpoints/{made(acme).pk}"
    assert caller.post(f"{path}/replay", body).pointers == [pointer]


@pytest.mark.parametrize("action", ["test", "rotate-secret", "enable"])
def test_an_action_takes_no_field_that_it_does_not_know(
    action: str, caller: Caller, acme: Tenant
) -> None:
    path = f"/webhook-endpoints/{made(acme).pk}/{action}"
    assert caller.post(path, {"colour": 1}).pointers == ["/colour"]
    assert caller.post(path, {}).status in (200, 202)


def test_when_a_replay_that_comes_with_it_is_refused_the_endpoint_stays_off(
    caller: Caller, acme: Tenant
) -> None:
    endpoint = made(acme, enabled=False)
    path = f"/webhook-endpoints/{endpoint.pk}/enable"
    assert caller.post(path, {"replay_since": "soon"}).pointers == ["/replay_since"]
    endpoint.refresh_from_db()
    assert not endpoint.enabled
    assert endpoint.disabled_at is not None
    assert endpoint.disabled_at < datetime.now(UTC)
