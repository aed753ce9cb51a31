"""Messages that are taken back before a worker claims them, and those that are not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import Tenant
from jobs.dispatcher import recall
from jobs.models import Job
from jobs.policies.buckets import Bucket, Place, of_key, of_queue, of_tenant, of_type
from jobs.policies.rate import Rate
from jobs.policies.rules import Held, Hold, Limit, Snapshot
from tests.jobs import making
from tests.jobs.limited import KEYED, claim, one

FREE = Snapshot()
PAUSED = (Hold(why=Held.PAUSED, until=None),)


def unaged(place: Place, priority: int, queued_at: datetime) -> int:
    return priority


def sent(tenant: Tenant, key: str = "", *, priority: int = 50, queue: str = "default") -> Job:
    job = one(tenant, key, priority=priority, queue=queue)
    making.send(job)
    return job


def recalled(
    snapshot: Snapshot, effective: Callable[[Place, int, datetime], int] = unaged
) -> set[Job]:
    """The jobs whose messages are taken back."""
    before = set(Job.objects.in_flight())
    number = recall.recall(snapshot, timezone.now(), effective)
    taken = before - set(Job.objects.in_flight())
    assert len(taken) == number
    assert taken <= set(Job.objects.ready())
    return taken


def test_without_a_reason_nothing_is_taken_back(tenant: Tenant) -> None:
    for priority in (10, 50, 95):
        sent(tenant, "k", priority=priority)
        one(tenant, "k", priority=100)

    assert recalled(FREE) == set()
    assert recalled(Snapshot(key_limits={KEYED: Limit(concurrency=9)})) == set()


# --- held back ------------------------------------------------------------------------------

TARGETS: dict[str, Callable[[Tenant], Bucket]] = {
    "queue": lambda tenant: of_queue("default"),
    "type": lambda tenant: of_type(KEYED),
    "tenant": lambda tenant: of_tenant(tenant.pk),
    "key": lambda tenant: of_key(tenant.pk, "k"),
}


@pytest.mark.parametrize("kind", TARGETS)
def test_what_is_held_back_is_taken_back_and_nothing_else(
    tenant: Tenant, other: Tenant, kind: str
) -> None:
    job, runs = sent(tenant, "k"), sent(tenant, "k")
    claim(runs)
    elsewhere = {  # in each way but one it differs from what is held
        "queue": sent(tenant, "k", queue="mail"),
        "type": sent(tenant),
        "tenant": sent(other, "k"),
        "key": sent(tenant, "other"),
    }[kind]
    held = Snapshot(holds={TARGETS[kind](tenant): PAUSED})

    taken = recalled(held)

    assert job in taken
    assert runs not in taken
    assert elsewhere not in taken


def test_a_hold_that_is_over_takes_nothing_back(tenant: Tenant) -> None:
    sent(tenant)
    over = Hold(why=Held.CLOSED, until=timezone.now() - timedelta(seconds=1))

    assert recalled(Snapshot(holds={of_queue("default"): (over,)})) == set()


# --- too many -------------------------------------------------------------------------------


def limits(tenant: Tenant, kind: str, most: int) -> Snapshot:
    if kind == "key":
        return Snapshot(key_limits={KEYED: Limit(concurrency=most)})
    return Snapshot(limits={TARGETS[kind](tenant): Limit(concurrency=most)})


@pytest.mark.parametrize("kind", TARGETS)
def test_of_too_many_the_latest_are_taken_back(tenant: Tenant, kind: str) -> None:
    running = [sent(tenant, "k") for _ in range(2)]
    for job in running:
        claim(job)
    waiting = [sent(tenant, "k") for _ in range(4)]

    assert recalled(limits(tenant, kind, 3)) == set(waiting[1:])
    assert recalled(limits(tenant, kind, 3)) == set()
    assert recalled(limits(tenant, kind, 1)) == {waiting[0]}


def test_what_runs_stays_although_it_is_too_many(tenant: Tenant) -> None:
    for _ in range(3):
        claim(sent(tenant, "k"))

    assert recalled(limits(tenant, "key", 1)) == set()


# --- too low --------------------------------------------------------------------------------


@pytest.mark.parametrize(("raised", "is_taken"), [(50, False), (69, False), (70, True)])
def test_what_has_risen_above_the_level_of_its_message_is_taken_back(
    tenant: Tenant, raised: int, is_taken: bool
) -> None:
    job = sent(tenant, priority=50)

    taken = recalled(FREE, lambda place, priority, queued_at: raised)

    assert taken == ({job} if is_taken else set())


def test_what_was_sent_as_risen_stays(tenant: Tenant) -> None:
    job = sent(tenant, priority=50)
    Job.objects.filter(pk=job.pk).update(sent_priority=90)

    assert recalled(FREE, lambda place, priority, queued_at: 95) == set()


# --- outranked ------------------------------------------------------------------------------


def test_of_a_full_key_the_lowest_message_makes_way_for_a_waiting_job_of_a_higher_level(
    tenant: Tenant,
) -> None:
    normal, low = sent(tenant, "k", priority=50), sent(tenant, "k", priority=10)
    one(tenant, "k", priority=95)

    assert recalled(limits(tenant, "key", 2)) == {low}
    making.send(low)
    assert normal in set(Job.objects.in_flight())


@pytest.mark.parametrize("kind", ["key", "queue"])
def test_a_message_makes_way_only_where_that_makes_room(tenant: Tenant, kind: str) -> None:
    job = sent(tenant, "k", priority=10)
    one(tenant, "k", priority=95)

    assert recalled(limits(tenant, kind, 2)) == set()
    running = sent(tenant, "k")
    claim(running)
    assert recalled(limits(tenant, kind, 1)) == {job}  # too many
    assert recalled(limits(tenant, kind, 1)) == set()


def test_in_a_full_queue_it_makes_way_for_another_tenant_too(tenant: Tenant, other: Tenant) -> None:
    job = sent(tenant, priority=10)
    one(other, priority=95)

    assert recalled(limits(tenant, "queue", 1)) == {job}


def rival_of_the_same_level(tenant: Tenant) -> Snapshot:
    one(tenant, "k", priority=69)
    return limits(tenant, "key", 1)


def rival_of_another_key(tenant: Tenant) -> Snapshot:
    one(tenant, "other", priority=95)
    return limits(tenant, "key", 1)


def rival_that_is_held(tenant: Tenant) -> Snapshot:
    second = Tenant.objects.create(slug="second")
    one(second, priority=95)
    return Snapshot(
        limits={of_queue("default"): Limit(concurrency=1)}, holds={of_tenant(second.pk): PAUSED}
    )


def rival_without_a_limit(tenant: Tenant) -> Snapshot:
    one(tenant, priority=95)
    return limits(tenant, "key", 1)


def rival_that_has_no_start_left(tenant: Tenant) -> Snapshot:
    one(tenant, "k", priority=95)
    spent = Limit(rate=Rate(0, 60))
    return Snapshot(limits={of_queue("default"): Limit(concurrency=1), of_tenant(tenant.pk): spent})


@pytest.mark.parametrize(
    "waiting",
    [
        rival_of_the_same_level,
        rival_of_another_key,
        rival_that_is_held,
        rival_without_a_limit,
        rival_that_has_no_start_left,
    ],
)
def test_it_makes_way_for_nobody_who_could_not_go_in_its_place(
    tenant: Tenant, waiting: Callable[[Tenant], Snapshot]
) -> None:
    sent(tenant, "k", priority=50)

    assert recalled(waiting(tenant)) == set()


def test_one_makes_way_at_a_time(tenant: Tenant) -> None:
    for _ in range(3):
        sent(tenant, "k", priority=10)
    for _ in range(3):
        one(tenant, "k", priority=95)

    for _ in range(3):
        assert len(recalled(limits(tenant, "key", 3))) == 1
        making.send(Job.objects.ready().filter(priority=95)[0])
    assert recalled(limits(tenant, "key", 3)) == set()
