"""Places under turns and ageing, held against the dispatcher's own order; and what they cost."""

from __future__ import annotations

import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Tenant
from accounts.plans import PLANS
from jobs.dispatcher.fairness import Fairness
from jobs.dispatcher.window import Candidate
from jobs.effective import configured, place_of
from jobs.explain import explain
from jobs.models import Job, Pause, Queue
from jobs.policies import snapshot
from jobs.position import Position, higher_than, position_of
from jobs.priorities import Level, level_of
from jobs.states import Status
from tests.jobs.crowd import analyze
from tests.jobs.kinds import ECHO
from tests.support.buffers import undone
from tests.support.copying import unchecked

NOW = timezone.now()
SMALL, LARGE = map(int, os.environ.get("POSITION_ROWS", "10000,200000").split(","))


@pytest.fixture
def tenants(db: None) -> list[Tenant]:
    Queue.objects.get_or_create(name="default")
    return [Tenant.objects.create(slug=plan, plan_name=plan) for plan in PLANS]


def waiting(
    tenant: Tenant,
    priority: int,
    *,
    made: float = 0,
    ready: float | None = None,
    sent: bool = False,
) -> Job:
    """A row as it stands after so many minutes: since it was made, since it became ready."""
    created_at = NOW - timedelta(minutes=made)
    queued_at = created_at if ready is None else NOW - timedelta(minutes=ready)
    return Job.objects.create(
        tenant=tenant, type=ECHO, queue_id="default", status=Status.QUEUED, priority=priority,
        base_priority=priority, max_retries=3, timeout_seconds=600, created_at=created_at,
        queued_at=queued_at, dispatched_at=NOW if sent else None,
        sent_priority=priority if sent else None,
    )  # fmt: skip


def model(jobs: Iterable[Job], tenants: Iterable[Tenant]) -> dict[UUID, int]:
    """Each job's place in its level, from the order in which the dispatcher would send all."""
    rules, ageing = snapshot.read(), configured()

    def candidate(job: Job) -> Candidate:
        since = rules.ready_since(place_of(job), job.queued_at)
        priority = ageing.effective(job.priority, (NOW - since).total_seconds())
        return Candidate(
            id=job.pk, queue=job.queue_id, type=job.type, level=level_of(priority),
            tenant=job.tenant_id, priority=priority, seq=job.seq,
        )  # fmt: skip

    weights = {tenant.pk: tenant.weight or tenant.plan.weight for tenant in tenants}
    order = Fairness().choose(
        map(candidate, jobs), lambda job: True, queue_weights={}, tenant_weights=weights
    )
    seen: Counter[Level] = Counter()
    places = {}
    for job in order:
        seen[job.level] += 1
        places[job.id] = seen[job.level]
    return places


def places(jobs: Iterable[Job]) -> dict[UUID, int | None]:
    found = {job.pk: position_of(job, NOW) for job in jobs}
    assert all(position.exact for position in found.values())
    return {job_id: position.place for job_id, position in found.items()}


@pytest.mark.parametrize("seed", range(8))
def test_the_place_is_that_in_which_the_dispatcher_would_send_it(
    seed: int, tenants: list[Tenant]
) -> None:
    chance = random.Random(seed)
    tenants[0].weight = 16 if seed % 2 else None  # a power of two: the tags add up exactly
    tenants[0].save()
    made = sorted((chance.choice([0, 0, 61, 66, 90, 200]) for _ in range(60)), reverse=True)
    for minutes in made:
        ready = chance.choice([minutes, minutes, minutes / 2])
        priority = chance.choice([5, 20, 35, 50, 50, 65, 75, 95])
        waiting(chance.choice(tenants), priority, made=minutes, ready=ready)
    if seed > 3:
        _was_paused("tenant", tenants[1].slug, tenants[1], minutes_ago=30)
        _was_paused("queue", "default", None, minutes_ago=60)  # both together, partly
        _was_paused("type", "some.other", None, minutes_ago=30)
    jobs = list(Job.objects.all())
    assert places(jobs) == model(jobs, tenants)


def _was_paused(kind: str, target: str, tenant: Tenant | None, *, minutes_ago: int) -> None:
    ended_at = NOW - timedelta(minutes=minutes_ago)
    Pause.objects.create(
        kind=kind, target=target, tenant=tenant, created_by="user:eve",
        created_at=ended_at - timedelta(hours=1), ended_at=ended_at,
    )  # fmt: skip


def test_a_small_tenant_is_not_behind_the_whole_flood_of_another(tenants: list[Tenant]) -> None:
    flood, small = tenants[0], tenants[1]
    for _ in range(20):
        waiting(flood, 50)
    first, second = waiting(small, 50), waiting(small, 50)
    assert position_of(first, NOW) == Position(place=2, exact=True)
    assert position_of(second, NOW) == Position(place=3, exact=True)  # weights 2 to 1


def test_a_pause_of_its_own_kind_keeps_a_job_from_ageing_past_others(
    tenants: list[Tenant],
) -> None:
    old = waiting(tenants[0], 40, made=61)
    young = waiting(tenants[0], 45)
    assert places([old, young]) == {old.pk: 1, young.pk: 2}
    _was_paused("type", ECHO, None, minutes_ago=5)
    assert places([old, young]) == {old.pk: 2, young.pk: 1}


def test_aged_jobs_leave_their_level_and_stand_in_the_next(tenants: list[Tenant]) -> None:
    aged = [waiting(tenants[0], 65, made=61) for _ in range(3)]
    normal, high = waiting(tenants[0], 65), waiting(tenants[0], 70)
    found = places([*aged, normal, high])
    assert found == {aged[0].pk: 1, aged[1].pk: 2, aged[2].pk: 3, normal.pk: 1, high.pk: 4}
    assert higher_than(normal, NOW).number == 4


def test_sent_jobs_count_by_the_level_in_which_they_were_sent(tenants: list[Tenant]) -> None:
    waiting(tenants[0], 50, sent=True)
    Job.objects.update(sent_priority=80)
    normal, high = waiting(tenants[0], 50), waiting(tenants[0], 75)
    assert places([normal, high]) == {normal.pk: 1, high.pk: 2}
    assert higher_than(normal, NOW).number == 2


def test_where_too_many_have_aged_to_be_read_the_place_says_that_it_is_a_guess(
    tenants: list[Tenant],
) -> None:
    _many(tenants[:1], 1500, priorities=[30], minutes=90)
    _many(tenants[:1], 600, priorities=[30], minutes=0)
    last = waiting(tenants[0], 30)
    analyze()
    found = position_of(last, NOW)
    assert found.exact is False
    assert found.place is not None
    assert 300 <= found.place <= 1200
    higher = higher_than(last, NOW)
    assert higher.exact is False
    assert 750 <= higher.number <= 3000


# --- what it costs -------------------------------------------------------------------------

_MANY = """
    INSERT INTO jobs_job (
        id, tenant_id, owner, type, queue, labels, unique_key, created_by, status, priority,
        base_priority, payload, max_retries, timeout_seconds, fence, run, attempt, retry_count,
        crash_count, progress, progress_message, worker, cancelled_by, created_at, queued_at)
    SELECT gen_random_uuid(), (%(tenants)s::bigint[])[1 + n %% %(number)s], '', %(type)s,
           'default', '{}', '', '', 'queued', priority, priority, '{}', 3, 600, 0, 1, 0, 0, 0, 0,
           '', '', '', at, at
      FROM generate_series(1, %(rows)s) AS n, LATERAL (
           SELECT (%(priorities)s::int[])[1 + n / %(number)s %% %(bands)s] AS priority,
                  %(now)s::timestamptz - %(minutes)s * interval '1 minute'
                  + n * interval '1 microsecond' AS at) AS one
     ORDER BY n
"""


def _many(
    tenants: Sequence[Tenant], rows: int, *, priorities: Sequence[int], minutes: float
) -> None:
    with unchecked() as cursor:
        cursor.execute(
            _MANY,
            {
                "tenants": [tenant.pk for tenant in tenants], "number": len(tenants),
                "type": ECHO, "rows": rows, "priorities": list(priorities),
                "bands": len(priorities), "now": NOW, "minutes": minutes,
            },
        )  # fmt: skip


def _clean_table() -> None:
    """Without what tests before this one have left dead in it: the small table would cost more by
    that, and the comparison say less."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE jobs_job CASCADE")


Looks = dict[str, Callable[[], object]]


def _looks(now: datetime) -> Looks:
    """At the first, the middle and the last job of each level: place and explanation."""
    by_level: defaultdict[Level, list[UUID]] = defaultdict(list)
    for priority, job_id in Job.objects.order_by("seq").values_list("priority", "pk"):
        by_level[level_of(priority)].append(job_id)
    looks: Looks = {}
    for level, ids in by_level.items():
        for name, job_id in (("first", ids[0]), ("middle", ids[len(ids) // 2]), ("last", ids[-1])):
            job = Job.objects.select_related("tenant").get(pk=job_id)
            looks[f"place of the {name} {level}"] = partial(position_of, job, now)
            looks[f"why the {name} {level}"] = partial(explain, job, now)
    return looks


def _costs(looks: Looks) -> dict[str, int]:
    return {what: undone(look)[1] for what, look in looks.items()}


@pytest.mark.parametrize("minutes", [0, 65, 200])
def test_neither_place_nor_explanation_cost_more_where_more_jobs_wait(
    minutes: float, tenants: list[Tenant]
) -> None:
    crowd = Tenant.objects.bulk_create(Tenant(slug=f"tenant-{n}") for n in range(46))
    every, bands = [*tenants, *crowd], range(0, 100, 5)
    _clean_table()
    _many(every, SMALL, priorities=bands, minutes=minutes)
    analyze()
    small = _costs(_looks(NOW))
    _many(every, LARGE - SMALL, priorities=bands, minutes=minutes)
    analyze()
    large = _costs(_looks(NOW))
    for what, buffers in small.items():
        print(f"{minutes:>4} {what:40} {buffers:>7} {large[what]:>7}")  # noqa: T201 (pytest -s)
    dearer = {what: (small[what], large[what]) for what in small if large[what] > 2 * small[what]}
    assert not dearer
