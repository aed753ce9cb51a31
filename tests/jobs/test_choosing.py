"""What whole ticks send under limits, holds and turns, from the rows that say so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from accounts.models import Tenant
from jobs import Circuit, lifecycle
from jobs.dispatcher import choosing
from jobs.models import KeyState, Leadership, Pause, PauseKind, Queue
from jobs.policies.changes import changing
from tests.jobs import making
from tests.jobs.broker_lists import emptied
from tests.jobs.limited import KEYED, Leading, claim, declare_keyed, finish, many, one, worker

SOON, PAST = Now() + timedelta(hours=1), Now() - timedelta(seconds=1)


@pytest.fixture(autouse=True)
def only_changes_count(monkeypatch: pytest.MonkeyPatch, declaring: None) -> None:
    """The policy is read when it was changed, and not after some time as well."""
    emptied()
    monkeypatch.setattr(choosing, "POLICY_SECONDS", 3600)


@pytest.fixture
def keyed() -> None:
    declare_keyed(circuit=Circuit())


# --- holds ----------------------------------------------------------------------------------

PAUSES: dict[str, Callable[[Tenant], dict[str, Any]]] = {
    "queue": lambda tenant: {"kind": PauseKind.QUEUE, "target": "default"},
    "type": lambda tenant: {"kind": PauseKind.TYPE, "target": KEYED},
    "tenant": lambda tenant: {
        "kind": PauseKind.TENANT, "target": tenant.slug, "tenant": tenant,
    },
    "key": lambda tenant: {"kind": PauseKind.KEY, "target": "k", "tenant": tenant},
}  # fmt: skip


@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize("kind", PAUSES)
def test_a_pause_acts_from_the_next_tick_to_its_end_on_its_target_alone(
    tenant: Tenant, other: Tenant, kind: str
) -> None:
    worker()
    leading = Leading()
    leading.tick()
    with changing():
        pause = Pause.objects.create(created_by="eve", **PAUSES[kind](tenant))
    job = one(tenant, "k")
    free = {
        "queue": one(tenant, "k", queue="mail"),
        "type": one(tenant),
        "tenant": one(other, "k"),
        "key": one(tenant, "other"),
    }

    sent = leading.tick()

    assert free[kind] in sent
    assert job not in sent
    with changing():
        Pause.objects.filter(pk=pause.pk).update(ended_at=Now())
    assert job in leading.tick()


def test_a_change_of_policy_waits_for_no_further_reason_to_be_read(tenant: Tenant) -> None:
    worker(slots=1)
    leading = Leading()
    for _ in range(3):
        job = one(tenant)
        with changing():
            pause = Pause.objects.create(kind=PauseKind.QUEUE, target="default", created_by="eve")
        assert leading.tick() == []
        with changing():
            pause.delete()
        assert leading.tick() == [job]
        finish(job)


def test_a_pause_whose_end_has_come_holds_nobody(tenant: Tenant) -> None:
    worker()
    Pause.objects.create(kind=PauseKind.QUEUE, target="default", created_by="eve", until=PAST)
    job = one(tenant)

    assert Leading().tick() == [job]


@pytest.mark.usefixtures("keyed")
def test_a_closed_key_holds_its_jobs_and_no_others(tenant: Tenant, other: Tenant) -> None:
    worker()
    KeyState.objects.create(tenant=tenant, key="k", closed_until=SOON)
    KeyState.objects.create(tenant=tenant, key="was", closed_until=PAST)
    held = one(tenant, "k")
    free = [one(tenant, "was"), one(other, "k"), one(tenant)]

    assert Leading().tick() == free
    assert making.fresh(held).dispatched_at is None


@pytest.mark.usefixtures("keyed")
def test_a_tripped_key_tries_one_job_and_goes_on_once_it_is_well(tenant: Tenant) -> None:
    worker()
    state = KeyState.objects.create(tenant=tenant, key="k", closed_until=PAST, opened_at=PAST)
    jobs = [one(tenant, "k") for _ in range(4)]
    leading = Leading()

    assert leading.until_nothing_more() == jobs[:1]
    claim(jobs[0])
    assert leading.tick() == []
    with changing():
        KeyState.objects.filter(pk=state.pk).update(opened_at=None)
    assert leading.until_nothing_more() == jobs[1:]


# --- limits ---------------------------------------------------------------------------------


def limit_queue(tenant: Tenant, **limits: Any) -> None:
    Queue.objects.filter(pk="default").update(**limits)


def limit_tenant(tenant: Tenant, **limits: Any) -> None:
    if "max_concurrency" in limits:
        limits["max_running"] = limits.pop("max_concurrency")
    Tenant.objects.filter(pk=tenant.pk).update(**limits)


def limit_type(tenant: Tenant, **limits: Any) -> None:
    declare_keyed(**limits)


def limit_key(tenant: Tenant, **limits: Any) -> None:
    declare_keyed(**{f"key_{name}": value for name, value in limits.items()})


LIMITS = {"queue": limit_queue, "tenant": limit_tenant, "type": limit_type, "key": limit_key}


@pytest.mark.parametrize("kind", LIMITS)
def test_no_more_are_sent_and_run_than_a_limit_allows(tenant: Tenant, kind: str) -> None:
    declare_keyed()
    LIMITS[kind](tenant, max_concurrency=2)
    worker(slots=10)
    jobs = [one(tenant, "k") for _ in range(5)]
    leading = Leading()

    assert leading.until_nothing_more() == jobs[:2]
    claim(jobs[0])
    assert leading.tick() == []
    finish(jobs[1])
    assert leading.tick() == [jobs[2]]
    lifecycle.fail(making.held(jobs[0]), error=making.ERROR)
    lifecycle.cancel(jobs[2].pk, by="eve")
    assert leading.tick() == jobs[3:]


@pytest.mark.parametrize("kind", LIMITS)
def test_no_more_are_started_than_a_rate_allows_whoever_leads(tenant: Tenant, kind: str) -> None:
    declare_keyed()
    LIMITS[kind](tenant, rate_limit="3/h")
    worker(slots=10)
    jobs = [one(tenant, "k") for _ in range(7)]
    leading = Leading("first")
    assert leading.until_nothing_more() == jobs[:3]
    for job in jobs[:2]:
        finish(job)
    assert leading.until_nothing_more() == []

    Leadership.objects.update(expires_at=Now())
    successor = Leading("second")

    assert successor.until_nothing_more() == []
    lifecycle.cancel(jobs[2].pk, by="eve")  # which never started
    assert successor.until_nothing_more() == [jobs[3]]


@pytest.mark.parametrize("kind", LIMITS)
def test_what_is_under_no_limit_passes_what_is(tenant: Tenant, other: Tenant, kind: str) -> None:
    declare_keyed()
    LIMITS[kind](tenant, max_concurrency=1)
    worker(slots=10)
    jobs = [one(tenant, "k") for _ in range(60)]
    free = {
        "queue": one(tenant, "k", queue="mail"),
        "tenant": one(other, "k"),
        "type": one(tenant),
        "key": one(tenant, "other"),
    }[kind]

    sent = Leading().until_nothing_more()

    assert jobs[0] in sent
    assert free in sent


def test_a_lower_limit_acts_at_the_next_tick(tenant: Tenant) -> None:
    worker(slots=10)
    many(tenant, 20)
    leading = Leading()
    assert len(leading.tick()) == 10

    with changing():
        Queue.objects.filter(pk="default").update(max_concurrency=2)

    assert leading.tick() == []
    assert leading.recall() == 8
    assert leading.tick() == []


@pytest.mark.usefixtures("keyed")
def test_an_urgent_job_takes_the_place_of_a_message_that_nobody_claimed(tenant: Tenant) -> None:
    limit_key(tenant, max_concurrency=1)
    worker(slots=10)
    low = one(tenant, "k", priority=10)
    leading = Leading()
    assert leading.tick() == [low]
    urgent = one(tenant, "k", priority=95)
    assert leading.tick() == []

    assert leading.recall() == 1

    assert leading.tick() == [urgent]
    assert leading.recall() == 0
