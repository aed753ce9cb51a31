"""Whose jobs whole ticks send: turns over tenants and queues, from the rows."""

from __future__ import annotations

from collections import Counter

import pytest

from accounts.models import Tenant
from jobs.models import Job, Queue
from jobs.policies.changes import changing
from tests.jobs.broker_lists import emptied
from tests.jobs.limited import Leading, finish, many, one, worker


@pytest.fixture(autouse=True)
def lists(db: None) -> None:
    emptied()


def tenants(*weights: int) -> list[Tenant]:
    return [
        Tenant.objects.create(slug=f"t{number}", weight=weight)
        for number, weight in enumerate(weights)
    ]


def starts(leading: Leading, number: int) -> Counter[int]:
    """Of each tenant, while every job that is sent ends at once."""
    found: Counter[int] = Counter()
    while found.total() < number:
        sent = leading.tick()
        assert sent, "nothing was sent any more"
        for job in sent:
            found[job.tenant_id] += 1
            finish(job)
    return found


@pytest.mark.usefixtures("queues")
@pytest.mark.parametrize("slots", [1, 4, 15])
def test_tenants_share_by_weight_whatever_they_wait_for(slots: int) -> None:
    four = tenants(8, 4, 2, 1)
    for tenant, number in zip(four, (300, 100, 100, 600), strict=True):
        many(tenant, number)
    worker(slots=slots)

    found = starts(Leading(), 120)

    shares = [found[tenant.pk] * 15 / found.total() for tenant in four]
    assert shares == pytest.approx([8, 4, 2, 1], abs=0.7)


@pytest.mark.usefixtures("queues")
def test_a_heavy_tenant_among_many_light_ones_has_its_share_of_a_wide_window() -> None:
    """One tick reads only a share of each tenant's jobs; it must not be what decides."""
    heavy, *light = tenants(90, *[1] * 10)
    for tenant in (heavy, *light):
        many(tenant, 300)
    worker(slots=50)

    found = starts(Leading(), 200)

    assert found[heavy.pk] / found.total() == pytest.approx(0.9, abs=0.05)


@pytest.mark.usefixtures("queues")
def test_a_change_of_weight_acts_at_the_next_reading_of_the_policy() -> None:
    one_, two = tenants(1, 1)
    for tenant in (one_, two):
        many(tenant, 300)
    worker(slots=2)
    leading = Leading()
    starts(leading, 10)

    with changing():
        Tenant.objects.filter(pk=one_.pk).update(weight=9)

    assert starts(leading, 100)[one_.pk] == pytest.approx(90, abs=3)


def test_a_newcomer_is_in_the_next_tick_although_another_has_thousands(
    tenant: Tenant, other: Tenant
) -> None:
    many(tenant, 3000)
    worker(slots=2)
    leading = Leading()
    starts(leading, 20)

    job = one(other)

    assert job in leading.tick()


@pytest.mark.usefixtures("queues")
def test_queues_share_workers_by_weight() -> None:
    (tenant,) = tenants(1)
    Queue.objects.filter(pk="mail").update(weight=3)
    for queue in ("default", "mail"):
        many(tenant, 300, queue=queue)
    worker(slots=4)

    leading, found = Leading(), Counter[str]()
    while found.total() < 100:
        for job in leading.tick():
            found[job.queue_id] += 1
            finish(job)

    assert found["mail"] == pytest.approx(75, abs=4)


def test_a_higher_level_is_sent_first_whoever_has_had_how_much(
    tenant: Tenant, other: Tenant
) -> None:
    many(tenant, 100, priority=50)
    many(other, 100, priority=10)
    worker(slots=4)
    leading = Leading()
    starts(leading, 20)

    assert set(starts(leading, 40)) == {tenant.pk}
    assert Job.objects.filter(tenant=other, attempt__gt=0).count() == 0
