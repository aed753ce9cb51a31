"""The pages of webhooks cost the same with a few thousand deliveries and with very many.

Measured in buffers that the statements touch, not in time. The small table is large enough that
each look, and the figures of an endpoint, reach as far as they ever do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, Tenant
from accounts.roles import Role
from tests.admin.conftest import SUPERUSER, Browser
from tests.admin.jobs_around import buffers_of, queues, text_of
from tests.admin.webhooks_around import DELIVERIES, ENDPOINTS, ids_in, made, many, page_of
from webhooks.models import Delivery, Endpoint

SMALL, LARGE = 20_000, 200_000
_FEW = 100  # buffers: the planner goes now along one index, now along another
_LOOKS = (
    "", "status=failed", "status=pending", "status=delivered", "event=job.cancelled",
    "event=job.completed", "event=job.cancelled&status=failed", "tenant=acme",
    "tenant=acme&status=failed", "tenant=acme&event=job.cancelled", "endpoint={endpoint}",
    "endpoint={endpoint}&status=failed", "endpoint={endpoint}&event=job.cancelled",
    "event=endpoint.test", "endpoint={endpoint}&event=job.completed",
    "q={id}", "q={job}", "q={event}", "q={none}", "before={id}", "status=failed&before={before}",
)  # fmt: skip


def _cost(ask: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        ask()
    frame = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "SET")
    return buffers_of([one["sql"] for one in queries if not one["sql"].startswith(frame)])


def _costs(client: Client, endpoints: list[Endpoint], rare: Delivery) -> dict[str, int]:
    newest = Delivery.objects.order_by("-pk").first()
    assert newest is not None
    given = {
        "endpoint": rare.endpoint_id, "id": rare.pk, "job": rare.job_id, "event": rare.event_id,
        "none": endpoints[0].pk, "before": newest.pk,
    }  # fmt: skip
    pages = {look: f"{DELIVERIES}?{look.format(**given)}" for look in _LOOKS}
    pages |= {"endpoints": ENDPOINTS, "an endpoint": page_of(endpoints[0])}
    pages |= {"a delivery": page_of(newest)}
    return {what: _cost(partial(client.get, page)) for what, page in pages.items()}


@pytest.mark.parametrize("kind", [Role.ADMIN, SUPERUSER])
def test_no_look_at_deliveries_costs_more_where_there_are_more(
    kind: str, browser: Browser, acme: Tenant, other: Tenant
) -> None:
    queues()
    client = browser(kind)
    if kind == Role.ADMIN:
        key = client.session["_auth_user_id"]
        Membership.objects.create(user_id=key, tenant=other, role="viewer")
    endpoints = [made(acme), made(other)]
    small = _costs(client, endpoints, many(endpoints, SMALL))
    large = _costs(client, endpoints, many(endpoints, LARGE))
    for what, buffers in small.items():
        print(f"{kind:10} {what:45} {buffers:>7} {large[what]:>7}")  # noqa: T201 (pytest -s)
    most = {what: max(2 * small[what], _FEW) for what in small}
    assert not {what: (small[what], large[what]) for what in small if large[what] > most[what]}


@pytest.mark.parametrize("look", ["event=job.cancelled", "endpoint={endpoint}&event=job.cancelled"])
@pytest.mark.parametrize("kind", [Role.VIEWER, SUPERUSER])
def test_a_rare_event_is_found_by_an_index_on_the_first_page(
    kind: str, look: str, browser: Browser, acme: Tenant
) -> None:
    queues()
    client = browser(kind)
    rare = many([made(acme)], SMALL)
    answers: list[str] = []

    def ask() -> None:
        page = client.get(f"{DELIVERIES}?{look.format(endpoint=rare.endpoint_id)}")
        answers.append(text_of(page))

    assert _cost(ask) < 300  # buffers; a look through 2,000 of them touches more
    assert ids_in(answers[0], "delivery") == [str(rare.pk)]
