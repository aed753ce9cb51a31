"""A replay, asked for by itself or with `enable`: from when, how many times, how often."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from tests.api.calling import Answer, Caller
from tests.api.conftest import MakeCaller
from tests.api.hooked import READ, SINCE, WRITE, delivery, made
from webhooks import redelivering
from webhooks.models import Delivery


@pytest.fixture
def caller(acme: Tenant, caller_of: MakeCaller) -> Caller:
    return caller_of(acme, [READ, WRITE])


@pytest.mark.parametrize(
    "moment", ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00+23:00", "8999-12-31T23:59:59-23:59"]
)
def test_a_replay_may_begin_at_any_time(moment: str, caller: Caller, acme: Tenant) -> None:
    path = f"/webhook-endpoints/{delivery(acme).endpoint_id}"
    number = 1 if moment.startswith("1970") else 0
    assert caller.post(f"{path}/replay", {"since": moment}).body["deliveries"] == number
    Delivery.objects.update(status="failed", ended_at=timezone.now())
    enabled = caller.post(f"{path}/enable", {"replay_since": moment})
    assert enabled.body["replayed"]["deliveries"] == number


@pytest.mark.parametrize(
    ("action", "body"), [("replay", SINCE), ("enable", {"replay_since": SINCE["since"]})]
)
def test_one_key_replays_once(
    action: str, body: dict[str, Any], caller: Caller, acme: Tenant
) -> None:
    endpoint = made(acme)
    for _ in range(2):
        delivery(acme, endpoint)
    call = partial(caller.post, f"/webhook-endpoints/{endpoint.pk}/{action}", idempotency_key="k")
    first = call(body)
    Delivery.objects.update(status="failed", ended_at=timezone.now())
    again = call(body)
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["Idempotent-Replay"] == "true"
    assert {one.status for one in Delivery.objects.all()} == {"failed"}
    assert call({**body, "colour": 1}).pointers == ["/Idempotency-Key"]


def test_a_piece_of_a_replay_that_is_answered_again_names_the_same_next_one(
    caller: Caller, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redelivering, "MOST_AT_ONCE", 1)
    endpoint = made(acme)
    for _ in range(2):
        delivery(acme, endpoint)
    path = f"/webhook-endpoints/{endpoint.pk}/replay"
    first = caller.post(path, SINCE, idempotency_key="k").body
    assert first["next"] is not None
    assert caller.post(path, SINCE, idempotency_key="k").body == first


def test_a_replay_counts_as_a_batch_does(caller: Caller, acme: Tenant, limits: Settings) -> None:
    limits.RATE_LIMIT_BATCH, limits.RATE_LIMIT_OTHER = "2/h", "100/h"
    path = f"/webhook-endpoints/{made(acme).pk}"
    answers: list[Answer] = [
        caller.post(f"{path}/replay", SINCE), caller.post(f"{path}/enable"),
        caller.post(f"{path}/replay", SINCE), caller.post(f"{path}/enable"),
        caller.patch(path, {"enabled": True}),
    ]  # fmt: skip
    assert [answer.status for answer in answers] == [202, 200, 429, 429, 200]
    assert answers[0].headers["X-RateLimit-Limit"] == "2"
