"""What the calls about webhooks cost the database, with very many deliveries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from accounts.api.moment import shown
from accounts.models import Tenant
from tests.api.calling import Answer, Caller
from tests.api.conftest import MakeCaller
from tests.api.hooked import READ, WRITE, delivery, made
from tests.api.test_cost import Statements
from tests.support.buffers import undone
from tests.support.copying import unchecked
from webhooks.api.searching import WINDOW
from webhooks.models import Endpoint

SOME, MANY = 20_000, 200_000
LOOKING_THROUGH = {"event and status", "since", "until", "before all"}
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("use_noted_once"),
]

# Older than any that the tests make one by one; ids and times go together, as in life.
_FILL = """
    WITH span AS (
        SELECT n, now() - interval '20 hours' * n / %(to)s - interval '1 hour' AS at,
               gen_random_uuid() AS event
          FROM generate_series(%(from)s + 1, %(to)s) AS n
    ), event AS (
        INSERT INTO webhooks_event (id, tenant_id, name, body, created_at)
        SELECT event, %(tenant)s, 'job.completed', repeat('x', 1000), at FROM span
    ), delivery AS (
        INSERT INTO webhooks_delivery (id, tenant_id, event_id, event_name, endpoint_id, job_id,
                                       status, attempts, last_error, created_at, ended_at,
                                       delivered_at)
        SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
                || '70008' || lpad(to_hex(n), 15, '0'))::uuid,
               %(tenant)s, event, 'job.completed', %(endpoint)s, gen_random_uuid(), 'delivered',
               1, '', at, at, at
          FROM span
        RETURNING id
    )
    INSERT INTO webhooks_deliveryattempt (delivery_id, number, url, started_at, duration_seconds,
                                          status_code, error, message, answer_start)
    SELECT id, 1, 'https://hooks.example.invalid/x', now(), 0.1, 200, '', '', '' FROM delivery
"""


@pytest.fixture
def caller(acme: Tenant, caller_of: MakeCaller) -> Caller:
    return caller_of(acme, [READ, WRITE])


def fill(endpoint: Endpoint, first: int, last: int) -> None:
    given: dict[str, Any] = {
        "from": first, "to": last, "tenant": endpoint.tenant_id, "endpoint": endpoint.pk,
    }  # fmt: skip
    with unchecked() as cursor:
        cursor.execute(_FILL, given)
        cursor.execute("VACUUM ANALYZE webhooks_event, webhooks_delivery, webhooks_deliveryattempt")


def cost(call: Callable[[], Answer]) -> tuple[int, int]:
    """Statements and buffers of a call that succeeds; the second time, so that all is warm."""
    answer = call()
    assert answer.status in (200, 202), answer.body
    with Statements() as statements:
        call()
    number = len(statements.sent)  # the next request begins the list anew
    _, buffers = undone(call)
    return number, buffers


def cursor_after(caller: Caller, pages: int) -> str:
    cursor: dict[str, str] = {}
    for _ in range(pages):
        body = caller.get("/webhook-deliveries", limit=200, **cursor).body
        cursor = {"cursor": body["next_cursor"]}
    return cursor["cursor"]


def calls_of(
    caller: Caller, busy: Endpoint, rare: Endpoint, foreign: Endpoint, job: UUID, one: UUID
) -> dict[str, tuple[Callable[[], Answer], int]]:
    """Each with the statements that it may take."""
    log = partial(caller.get, "/webhook-deliveries", limit=20)
    now = timezone.now()
    early, half = shown(now - timedelta(hours=22)), shown(now - timedelta(hours=10))
    cursor = cursor_after(caller, 20)
    return {
        "list": (log, 2),
        "deep": (partial(caller.get, "/webhook-deliveries", limit=200, cursor=cursor), 2),
        "busy endpoint": (partial(log, endpoint_id=str(busy.pk)), 3),
        "rare endpoint": (partial(log, endpoint_id=str(rare.pk)), 3),
        "foreign endpoint": (partial(log, endpoint_id=str(foreign.pk)), 2),
        "failed of a foreign endpoint": (
            partial(log, endpoint_id=str(foreign.pk), status="failed"), 2,
        ),
        "job": (partial(log, job_id=str(job)), 2),
        "nobody's job": (partial(log, job_id=str(uuid4())), 2),
        "rare status": (partial(log, status="failed"), 2),
        "no such status": (partial(log, status="pending"), 2),
        "both": (partial(log, endpoint_id=str(busy.pk), status="failed"), 3),
        "frequent event": (partial(log, event="job.completed"), 2),
        "rare event": (partial(log, event="schedule.missed"), 2),
        "no such event": (partial(log, event="batch.completed"), 2),
        "event of an endpoint": (
            partial(log, endpoint_id=str(busy.pk), event="schedule.missed"), 3,
        ),
        "event and status": (partial(log, event="schedule.missed", status="delivered"), 3),
        "since": (partial(log, since=half), 3),
        "until": (partial(log, until=half), 3),
        "before all": (partial(log, until=early), 3),
        "one": (partial(caller.get, f"/webhook-deliveries/{one}"), 5),
        "endpoints": (partial(caller.get, "/webhook-endpoints"), 4),
        "endpoint": (partial(caller.get, f"/webhook-endpoints/{busy.pk}"), 4),
        "replay": (
            partial(caller.post, f"/webhook-endpoints/{rare.pk}/replay", {"since": half}), 30,
        ),
        "replay of nothing": (
            partial(caller.post, f"/webhook-endpoints/{busy.pk}/replay", {"since": early}), 10,
        ),
        "replay of a span before all": (
            partial(caller.post, f"/webhook-endpoints/{busy.pk}/replay", {
                "since": "2020-01-01T00:00:00Z", "until": "2020-01-02T00:00:00Z", "status": "all",
            }), 10,
        ),
    }  # fmt: skip


def test_reading_the_log_costs_the_same_however_long_it_is(
    caller: Caller, acme: Tenant, other: Tenant
) -> None:
    busy, rare, foreign, job = made(acme), made(acme), made(other), uuid4()
    fill(busy, 0, SOME)
    fill(foreign, MANY, MANY + 10)
    one = delivery(acme, rare, event="schedule.missed", job_id=job)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE webhooks_delivery SET created_at = now() - interval '1 hour'"
                       " WHERE endpoint_id = %s", [rare.pk])  # fmt: skip
    calls = calls_of(caller, busy, rare, foreign, job, one.pk)
    before = {name: cost(call) for name, (call, _) in calls.items()}
    fill(busy, SOME, MANY)
    fill(foreign, MANY + 10, MANY + SOME)
    after = {name: cost(call) for name, (call, _) in calls.items()}
    assert {
        name: (before[name], after[name], most)
        for name, (_, most) in calls.items()
        if after[name][0] > most or after[name][1] > max(2 * before[name][1], _least(name))
    } == {}


def test_a_strangers_endpoint_costs_what_one_costs_that_nobody_has(
    caller: Caller, acme: Tenant, other: Tenant
) -> None:
    foreign = made(other)
    fill(foreign, 0, SOME)
    for filters in ({}, {"status": "delivered"}, {"status": "failed"}, {"event": "job.failed"}):
        log = partial(caller.get, "/webhook-deliveries", limit=50, **filters)
        theirs = cost(partial(log, endpoint_id=str(foreign.pk)))
        nobodys = cost(partial(log, endpoint_id=str(uuid4())))
        assert theirs[0] == nobodys[0]
        assert abs(theirs[1] - nobodys[1]) <= 5, filters


def test_the_figures_of_an_endpoint_are_cheap_however_much_it_is_told(
    caller: Caller, acme: Tenant
) -> None:
    busy = made(acme)
    fill(busy, 0, SOME)
    path = f"/webhook-endpoints/{busy.pk}"
    assert cost(partial(caller.get, path))[1] <= 3_000
    told = caller.get(path).body["statistics"]
    assert (told["delivered"], told["seconds_p50"], told["seconds_p95"]) == (2_000, 0.1, 0.1)


def test_a_replay_of_one_jobs_deliveries_takes_few_statements(caller: Caller, acme: Tenant) -> None:
    endpoint, job = made(acme), uuid4()
    for _ in range(200):
        delivery(acme, endpoint, job_id=job)
    path = f"/webhook-endpoints/{endpoint.pk}/replay"
    with Statements() as statements:
        answer = caller.post(path, {"since": "2026-01-01T00:00:00Z"})
    assert answer.body["deliveries"] == 200
    assert len(statements.sent) <= 30, statements.sent


def _least(name: str) -> int:
    """Buffers that are no cause to worry: of a call that looks through a window, some for each
    row; of figures, some for each of the deliveries that are counted at most."""
    if name in ("endpoint", "endpoints"):
        return 3_000
    return 5 * WINDOW if name in LOOKING_THROUGH else 100
