"""A step of housekeeping costs the same, however much is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from accounts.models import Tenant
from tests.support.buffers import undone
from tests.support.receiver import Receiver
from tests.webhooks.making import endpoint
from tests.webhooks.test_housekeeping import old_endpoints, old_events
from webhooks import leftovers
from webhooks.leftovers import Pages

pytestmark = pytest.mark.django_db(transaction=True)
FEW, MANY = 2_500, 15_000  # more than a page


def cost(walk: Callable[[], Pages]) -> int:
    """In buffers, of the look at the first page."""
    return undone(walk()._next_page)[1]


@pytest.mark.parametrize("walk", [leftovers.unused_urls, leftovers.endpoints])
def test_urls_that_jobs_brought_are_looked_at_a_page_at_a_time(
    acme: Tenant, receiver: Receiver, walk: Callable[[], Pages]
) -> None:
    old_events(acme, FEW, told=endpoint(acme, receiver).endpoint)
    old_endpoints(acme, FEW, of_jobs=True)
    few = cost(walk)
    old_endpoints(acme, MANY, of_jobs=True)
    assert cost(walk) < 1.5 * few + 50


def test_events_are_looked_at_a_page_at_a_time(acme: Tenant, receiver: Receiver) -> None:
    row = endpoint(acme, receiver).endpoint
    old_events(acme, FEW, told=row)
    few = cost(leftovers.events)
    old_events(acme, MANY, told=row)
    assert cost(leftovers.events) < 1.5 * few + 50


def test_endpoints_that_somebody_made_are_in_no_page(acme: Tenant) -> None:
    old_endpoints(acme, MANY, of_jobs=False)
    assert cost(leftovers.unused_urls) <= 10
    assert cost(leftovers.endpoints) <= 10


@pytest.mark.parametrize(
    ("walk", "index"),
    [(leftovers.unused_urls, "endpoint_of_jobs"), (leftovers.endpoints, "endpoint_deleted")],
)
def test_each_walk_goes_by_its_own_index(
    acme: Tenant, receiver: Receiver, walk: Callable[[], Pages], index: str
) -> None:
    old_events(acme, FEW, told=endpoint(acme, receiver).endpoint)
    old_endpoints(acme, MANY, of_jobs=False)
    old_endpoints(acme, MANY, of_jobs=True)
    plan = told_plan(walk()._look)
    assert f" using {index} on webhooks_endpoint" in plan
    assert "Seq Scan" not in plan


def told_plan(look: str) -> str:
    with connection.cursor() as cursor:
        given: dict[str, Any] = {"after_0": UUID(int=0), "page": leftovers.PAGE, "days": 30}
        cursor.execute(f"EXPLAIN {look}", given)
        return "\n".join(line for (line,) in cursor.fetchall())
