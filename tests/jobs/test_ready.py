"""Which ready jobs the dispatcher reads, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.db.models.functions import Now

from accounts.models import Tenant
from jobs import lifecycle
from jobs.dispatcher import ready
from jobs.dispatcher.ready import Ready
from jobs.dispatcher.survey import Survey
from jobs.dispatcher.window import Room
from jobs.enqueue import JobOptions, enqueue
from jobs.models import Job
from jobs.priorities import Level
from tests.jobs import making
from tests.jobs.crowd import crowd
from tests.jobs.kinds import ECHO

SLEEP = "diagnostics.sleep"


def room(most: int, *types: str, level: Level = Level.LOW) -> Room:
    return Room(most=most, lowest=dict.fromkeys(types or (ECHO,), level))


def selected(rooms: dict[str, int]) -> list[UUID]:
    """By a dispatcher that has just begun, with workers that know ECHO."""
    return ids(Ready(), {queue: room(most) for queue, most in rooms.items()})


def ids(reading: Ready, rooms: dict[str, Room]) -> list[UUID]:
    return [job.id for job in reading.select(rooms)]


def test_the_highest_priority_comes_first_and_of_one_priority_the_oldest(tenant: Tenant) -> None:
    jobs = [making.queued(tenant, priority=p) for p in (50, 95, 50, 10, 95, 100)]

    expected = [jobs[n].pk for n in (5, 1, 4, 0, 2, 3)]
    assert selected({"default": 10}) == expected


def test_the_order_holds_over_queues_and_tenants(tenant: Tenant, other: Tenant) -> None:
    jobs = [
        making.queued(who, queue=queue, priority=priority)
        for priority in (10, 60, 30)
        for who in (tenant, other)
        for queue in ("mail", "default")
    ]

    found = selected({"default": 20, "mail": 20})

    assert found == [job.pk for job in sorted(jobs, key=lambda job: (-job.priority, job.seq))]


def test_of_each_tenant_no_more_is_read_than_a_queue_has_room_for(
    tenant: Tenant, other: Tenant
) -> None:
    for who in (tenant, other):
        for _ in range(5):
            making.queued(who, priority=50)
            making.queued(who, priority=50, queue="mail")

    found = selected({"default": 3, "mail": 1})

    places = Job.objects.filter(pk__in=found).values_list("tenant_id", "queue_id")
    assert Counter(places) == {
        (who.pk, queue): number
        for who in (tenant, other)
        for queue, number in (("default", 3), ("mail", 1))
    }


def test_tenants_whose_heads_are_of_one_level_share_what_is_read(tenant: Tenant) -> None:
    sharing = [tenant, *(Tenant.objects.create(slug=f"t{number}") for number in range(7))]
    for who in sharing:
        crowd(who, 120)
    above = Tenant.objects.create(slug="above")
    crowd(above, 450, priority=80)

    found = Counter(job.tenant for job in Ready().select({"default": room(400)}))

    assert found == {**{who.pk: 2 * 400 // 8 for who in sharing}, above.pk: 400}


def test_of_more_tenants_than_one_tick_visits_the_next_ones_are_visited_by_the_next(
    tenant: Tenant, other: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ready, "TENANTS", 2)
    jobs = [making.queued(who) for who in (tenant, other)]
    jobs += [making.queued(Tenant.objects.create(slug=f"t{number}")) for number in range(3)]
    jobs += [making.queued(tenant, queue="mail")]
    reading = Ready()

    found = [ids(reading, {"default": room(9)})]
    assert reading.look_again_within < ready._LATER
    found += [ids(reading, {queue: room(9)}) for queue in ("mail", "default") * 2]

    assert {job for tick in found for job in tick} == {job.pk for job in jobs}
    assert all(len(tick) <= 2 for tick in found)


def test_without_room_or_worker_nothing_is_read(tenant: Tenant) -> None:
    making.queued(tenant)

    assert selected({}) == []
    assert selected({"default": 0}) == []
    assert selected({"mail": 5}) == []


def test_only_jobs_that_wait_unsent_are_ready(tenant: Tenant) -> None:
    jobs = {name: making.in_situation(tenant, name) for name in making.SITUATIONS}
    behind = Job.objects.exclude(pk__in=[job.pk for job in jobs.values()])
    lifecycle.cancel(behind.get().pk, by="")  # what the blocked one waits for

    assert selected({"default": 50}) == [jobs["ready"].pk]


def test_a_type_that_no_worker_of_the_queue_has_room_for_is_passed_over(tenant: Tenant) -> None:
    unknown = enqueue(tenant, SLEEP, {}).job
    known = making.queued(tenant)
    in_mail = enqueue(tenant, SLEEP, {}, JobOptions(queue="mail")).job

    found = ids(Ready(), {"default": room(1), "mail": room(1, SLEEP)})

    assert found == [known.pk, in_mail.pk]
    assert unknown.pk in ids(Ready(), {"default": room(5, ECHO, SLEEP)})


def test_a_type_is_passed_over_below_the_lowest_level_that_has_room_for_it(tenant: Tenant) -> None:
    low, normal, high = (making.queued(tenant, priority=level) for level in ("low", 69, 70))
    asleep = enqueue(tenant, SLEEP, {}, JobOptions(priority="low")).job
    rooms = Room(most=10, lowest={ECHO: Level.HIGH, SLEEP: Level.LOW})

    assert ids(Ready(), {"default": rooms}) == [high.pk, asleep.pk]
    assert ids(Ready(), {"default": room(10)}) == [high.pk, normal.pk, low.pk]


def test_a_forced_job_is_not_sent_before_its_old_lease_ends(tenant: Tenant) -> None:
    job = making.in_situation(tenant, "processing")
    lifecycle.force_queue(job.pk, error=making.ERROR)

    assert selected({"default": 5}) == []
    making.let_pass(job, "lease_expires_at")
    assert selected({"default": 5}) == [job.pk]


def test_a_job_whose_time_to_start_is_over_is_not_sent(tenant: Tenant) -> None:
    job, still_good = making.queued(tenant), making.queued(tenant)
    making.let_pass(job, "expires_at")
    Job.objects.filter(pk=still_good.pk).update(expires_at=Now() + timedelta(hours=1))

    assert selected({"default": 5}) == [still_good.pk]


def test_many_tenants_are_found_although_one_has_a_large_backlog(tenant: Tenant) -> None:
    for _ in range(50):
        making.queued(tenant, priority=50)
    others = [Tenant.objects.create(slug=f"t{n}") for n in range(10)]
    urgent = [making.queued(who, priority=89) for who in others]

    found = selected({"default": 10})
    assert set(found[:10]) == {job.pk for job in urgent}
    assert len(found) == 20


def test_the_best_of_a_large_backlog_are_found(tenant: Tenant) -> None:
    Job.objects.bulk_create(
        Job(
            tenant=tenant, type=ECHO, queue_id="default", status="queued", priority=n % 100,
            base_priority=50, max_retries=0, timeout_seconds=1,
        )
        for n in range(1000)
    )  # fmt: skip

    best = selected({"default": 5})

    ninety_nine = Job.objects.filter(priority=99).order_by("seq").values_list("pk", flat=True)
    assert best == list(ninety_nine[:5])


# --- behind many that cannot be sent ------------------------------------------------------

DEPTH, PAGE = 10, 40


@pytest.fixture
def shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick reads little, so that few jobs are many."""
    monkeypatch.setattr(ready, "DEPTH", DEPTH)
    monkeypatch.setattr(ready, "PAGE", PAGE)


def many(tenant: Tenant, number: int, job_type: str, *, priority: int = 50) -> list[UUID]:
    jobs = Job.objects.bulk_create(
        Job(
            tenant=tenant, type=job_type, queue_id="default", status="queued", priority=priority,
            base_priority=priority, max_retries=0, timeout_seconds=1,
        )
        for _ in range(number)
    )  # fmt: skip
    return [job.pk for job in jobs]


def ticks(reading: Ready, *rooms: Room) -> Iterator[list[UUID]]:
    """What each further tick finds, the rooms taking turns."""
    while True:
        for each in rooms:
            yield ids(reading, {"default": each})


def until_found(found: Iterator[list[UUID]], *, at_most: int = 50) -> list[UUID]:
    return next((each for each, _ in zip(found, range(at_most), strict=False) if each), [])


def walked(reading: Ready, wanted: Room) -> None:
    """Until the survey has walked over everything."""
    for _ in range(200):
        ids(reading, {"default": wanted})
        if reading.look_again_within > ready._SOON:
            return
    raise AssertionError("it walks for ever")


@pytest.mark.usefixtures("shallow")
def test_a_job_behind_many_of_a_type_that_nobody_knows_is_found_within_a_few_ticks(
    tenant: Tenant,
) -> None:
    for priority in (95, 60, 50):
        many(tenant, 150, "nobody.knows", priority=priority)
    jobs = many(tenant, 3, ECHO, priority=50)

    assert until_found(ticks(Ready(), room(2)), at_most=3 * 150 // PAGE + 2) == jobs[:2]


@pytest.mark.usefixtures("shallow")
def test_jobs_that_arrive_behind_or_between_them_are_found_at_once_and_in_order(
    tenant: Tenant,
) -> None:
    for priority in (95, 50):
        many(tenant, 100, "nobody.knows", priority=priority)
    reading = Ready()
    walked(reading, room(9))

    arrived = [making.queued(tenant, priority=p).pk for p in (50, 95, 49, 60, 96, 50)]

    expected = [arrived[n] for n in (4, 1, 3, 0, 5, 2)]
    assert ids(reading, {"default": room(9)}) == expected
    assert ids(reading, {"default": room(9, level=Level.URGENT)}) == expected[:2]


@pytest.mark.usefixtures("shallow")
def test_types_that_are_busy_now_and_then_never_hide_each_other(tenant: Tenant) -> None:
    sleeping = many(tenant, 200, SLEEP)
    echoes = many(tenant, 200, ECHO)
    asleep_again = many(tenant, 5, SLEEP)
    reading = Ready()
    walked(reading, room(3, "others"))

    found = ticks(reading, room(3, ECHO), room(3, SLEEP), room(8, SLEEP, ECHO))

    for _ in range(40):
        assert next(found) == echoes[:3]
        assert next(found) == sleeping[:3]
        assert next(found) == sleeping[:8]
    Job.objects.filter(pk__in=sleeping).delete()
    assert asleep_again[0] in until_found(ticks(reading, room(3, SLEEP)))


@pytest.mark.usefixtures("shallow")
def test_a_worker_that_comes_to_know_the_type_gets_the_first_of_them_at_once(
    tenant: Tenant,
) -> None:
    many(tenant, 100, "nobody.knows")
    jobs = many(tenant, 100, "new.type", priority=50)
    reading = Ready()
    walked(reading, room(3))

    assert ids(reading, {"default": room(3, ECHO, "new.type")}) == jobs[:3]


@pytest.mark.usefixtures("shallow")
def test_jobs_strewn_among_many_are_all_found_one_after_the_other(tenant: Tenant) -> None:
    strewn: list[UUID] = []
    for _ in range(8):
        many(tenant, 35, "nobody.knows")
        strewn += many(tenant, 1, ECHO)
    found = ticks(Ready(), room(5))
    order: list[UUID] = []

    for _ in range(60):
        for each in next(found):
            order.append(each)
            Job.objects.filter(pk=each).delete()

    assert order == strewn


@pytest.mark.usefixtures("shallow")
def test_a_job_that_comes_back_among_them_is_found_by_the_next_walk(tenant: Tenant) -> None:
    many(tenant, 100, "nobody.knows")
    job = making.queued(tenant)
    sent = making.send(job)
    many(tenant, 100, "nobody.knows")
    behind = many(tenant, 1, ECHO)
    reading = Ready()
    assert until_found(ticks(reading, room(5))) == behind
    walked(reading, room(5))

    lifecycle.withdraw([sent])

    found = ticks(reading, room(5))
    assert [job.pk, *behind] in [next(found) for _ in range(15)]


@pytest.mark.usefixtures("shallow")
def test_a_survey_ends_when_the_head_is_free_again(tenant: Tenant) -> None:
    unknown = many(tenant, 100, "nobody.knows")
    many(tenant, 100, ECHO)
    reading = Ready()
    walked(reading, room(5))
    assert reading.look_again_within == ready._LATER
    Job.objects.filter(pk__in=unknown).delete()

    found = ticks(reading, room(5))
    for _ in range(20):
        next(found)

    assert reading.look_again_within == float("inf")


@pytest.mark.usefixtures("shallow")
def test_a_tenant_whose_jobs_cannot_be_sent_does_not_hold_up_another(
    tenant: Tenant, other: Tenant
) -> None:
    many(tenant, 300, "nobody.knows", priority=95)
    (job,) = many(other, 1, ECHO, priority=10)

    assert ids(Ready(), {"default": room(1)}) == [job]


def test_one_tick_reads_by_index_alone(tenant: Tenant) -> None:
    """However the tables are filled: a plan that sorts the backlog would be far too slow."""
    many(tenant, 3000, ECHO)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE jobs_job")
        plans: list[str] = []

        def explained(execute, sql, parameters, many, context):  # type: ignore[no-untyped-def] # Django's
            execute(f"EXPLAIN {sql}", parameters, many, context)
            plans.append("\n".join(line for (line,) in context["cursor"].fetchall()))
            return execute(sql, parameters, many, context)

        reading = Ready()
        reading._surveys[("default", tenant.pk)] = Survey()
        with connection.execute_wrapper(explained):
            reading.select({"default": room(5)})

    assert len(plans) == 3
    assert all("Seq Scan" not in plan for plan in plans)
    assert plans[0].count("Index") >= 4
