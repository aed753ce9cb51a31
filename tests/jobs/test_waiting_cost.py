"""A tick of the dispatcher and a claim cost the same with ten thousand and with very many waiting
jobs, over 50 tenants and 20 priorities, also where one full limit key fills the head.

Measured in buffers that the statements touch, not in time. Other sizes:
`WAITING_ROWS=10000,1000000 python3 manage.py test tests/jobs/test_waiting_cost.py -s
-o timeout=1800` also tells the milliseconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Tenant
from jobs import JobContext, job_type, lifecycle, registry
from jobs.dispatcher.choosing import Choosing, Chosen
from jobs.dispatcher.leader import Held
from jobs.message import FencedJob
from jobs.models import Job, Worker
from tests.jobs import making
from tests.jobs.crowd import analyze
from tests.jobs.kinds import ECHO
from tests.support.buffers import undone
from tests.support.copying import unchecked

SMALL, LARGE = map(int, os.environ.get("WAITING_ROWS", "10000,200000").split(","))
TENANTS, PRIORITIES, TICKS = 50, 20, 8
KEYED = "costs.keyed"
_WAITING = """
    INSERT INTO jobs_job (
        id, tenant_id, owner, type, queue, labels, unique_key, limit_key, created_by, status,
        priority, base_priority, payload, max_retries, timeout_seconds, fence, run, attempt,
        retry_count, crash_count, progress, progress_message, worker, cancelled_by, queued_at)
    SELECT gen_random_uuid(), tenant.id, '', %(type)s, 'default', '{}', '', %(key)s, '', 'queued',
           priority, priority, '{}', 3, 600, 0, 1, 0, 0, 0, 0, '', '', '',
           clock_timestamp() - %(waited)s * interval '1 second'
      FROM generate_series(1, %(number)s) AS number,
           LATERAL (SELECT (%(tenants)s::bigint[])[1 + number %% %(of)s] AS id) AS tenant,
           LATERAL (SELECT %(highest)s - 5 * (number / %(of)s %% %(priorities)s) AS priority) AS one
"""


@pytest.fixture
def keyed() -> Iterator[None]:
    @job_type(KEYED, limit_key="{key}", key_max_concurrency=1)
    def keyed(context: JobContext, *, key: str) -> None: ...

    yield
    registry.forget(KEYED)


@pytest.fixture
def tenants(db: None) -> list[Tenant]:
    slugs = [Tenant(slug=f"t{number}", plan_name="basic") for number in range(TENANTS)]
    return Tenant.objects.bulk_create(slugs)


def waiting(tenants: list[Tenant], number: int, **how: str | int) -> None:
    usual: dict[str, str | int] = {
        "type": ECHO,
        "key": "",
        "waited": 0,
        "highest": 95,
        "priorities": PRIORITIES,
    }
    with unchecked() as cursor:
        cursor.execute(
            _WAITING,
            {**usual, **how, "number": number, "tenants": [t.pk for t in tenants],
             "of": len(tenants)},
        )  # fmt: skip


def full_key(tenant: Tenant, number: int) -> None:
    """So many jobs in front of the tenant's others, whose key has a limit that is used up."""
    waiting([tenant], number, type=KEYED, key="full", highest=100, priorities=1)
    running = making.start(making.queued(tenant))
    Job.objects.filter(pk=running.id).update(type=KEYED, limit_key="full")


def a_worker() -> None:
    """It goes on for as long as the measuring."""
    Worker.objects.update_or_create(
        name="w",
        defaults={
            "incarnation": UUID(int=7),
            "queues": ["default"],
            "types": [ECHO, KEYED],
            "slots": 20,
            "seen_at": Now() + timedelta(hours=1),
        },
    )


def ticks(choosing: Choosing) -> tuple[Chosen, int, float]:
    """What is chosen in the end, and the most that one of some ticks costs: buffers, seconds."""

    def tick() -> Chosen:
        chosen = choosing.choose(Held(policy_version=1, now=timezone.now()))
        lifecycle.dispatch(list(chosen.priorities), chosen.priorities)
        return chosen

    costs = []
    for _ in range(TICKS):
        chosen, buffers = undone(tick)
        costs.append(buffers)
    times = []
    for _ in range(TICKS):
        began = time.perf_counter()
        choosing.choose(Held(policy_version=1, now=timezone.now()))
        times.append(time.perf_counter() - began)
    return chosen, max(costs), sorted(times)[TICKS // 2]


@pytest.mark.parametrize("situation", ["plain", "full key", "aged"])
def test_a_tick_costs_the_same_however_many_jobs_wait(
    situation: str, tenants: list[Tenant], keyed: None
) -> None:
    waited = 2 * 3600 if situation == "aged" else 0
    costs = {}
    number = 0
    for target in (SMALL, LARGE):
        waiting(tenants, target - number, waited=waited)
        if situation == "full key":
            full_key(tenants[0], (target - number) // 10)
        number = target
        analyze()
        a_worker()
        choosing = Choosing(lambda job_type: 0.01)
        choosing.look_at_aged(timezone.now())
        chosen, costs[target], seconds = ticks(choosing)
        print(  # noqa: T201 (with -s, for the documentation)
              f"\ntick, {situation}, {target:,} rows: {costs[target]} buffers, "
              f"{1000 * seconds:.1f} ms to choose, {len(chosen.jobs)} chosen")  # fmt: skip
        assert len(chosen.jobs) >= 20
        if situation == "full key":
            assert tenants[0].pk in {job.tenant for job in chosen.jobs}
    assert costs[LARGE] <= 2 * costs[SMALL], costs


def test_a_claim_costs_the_same_however_many_jobs_wait(tenants: list[Tenant]) -> None:
    costs = []
    for number in (SMALL, LARGE - SMALL):
        waiting(tenants, number)
        analyze()
        job = Job.objects.order_by("seq")[0]
        (sent,) = lifecycle.dispatch([job.pk])
        claimed, cost = undone(_claim(FencedJob(sent.id, sent.fence)))
        assert claimed is not None
        lifecycle.withdraw([FencedJob(sent.id, sent.fence)])
        costs.append(cost)
    print(f"\nclaim: {costs} buffers")  # noqa: T201 (as above)
    assert costs[1] <= 2 * costs[0], costs


def _claim(sent: FencedJob) -> Callable[[], lifecycle.ClaimedJob | None]:
    return lambda: lifecycle.claim(
        sent, worker="w", incarnation=UUID(int=7), lease_seconds=30, claim_id=UUID(int=1)
    )
