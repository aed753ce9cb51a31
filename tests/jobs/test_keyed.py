"""What stands behind very many jobs of a key that has no room is found all the same."""

from __future__ import annotations

from uuid import UUID

import pytest

from accounts.models import Tenant
from jobs.dispatcher import keyed, ready
from jobs.dispatcher.ready import PAGE, Policy, Ready
from jobs.dispatcher.window import Room
from jobs.priorities import Level
from tests.jobs.broker_lists import emptied
from tests.jobs.kinds import ECHO, QUEUE
from tests.jobs.limited import KEYED, Leading, declare_keyed, finish, many, one, worker

CROWD = 5000  # of one key, ten times what one tick reads
FEW_TICKS = CROWD // PAGE + 4  # a page a tick is walked over


@pytest.fixture(autouse=True)
def _nothing_in_the_broker(declaring: None) -> None:
    emptied()
    declare_keyed(key_max_concurrency=2)


def room(most: int = 50, *, level: Level = Level.LOW) -> Room:
    return Room(most=most, lowest=dict.fromkeys((ECHO, KEYED), level))


def barred(tenant: Tenant, *keys: str) -> Policy:
    return Policy(has_keys=True, barred_keys=[f"{KEYED}:{tenant.pk}:{key}" for key in keys])


def found_within(reading: Ready, policy: Policy, ticks: int, queues: tuple[str, ...]) -> set[UUID]:
    """What so many ticks find, in each of which one of the queues has room."""
    return {
        job.id
        for number in range(ticks)
        for job in reading.select({queues[number % len(queues)]: room()}, policy)
    }


def test_other_keys_and_jobs_without_one_pass_a_full_key_within_a_few_ticks(
    tenant: Tenant,
) -> None:
    worker(slots=10)
    flood = set(many(tenant, CROWD, "full"))
    behind = [one(tenant, "other"), one(tenant), one(tenant, "another"), one(tenant)]
    leading = Leading()

    sent = [job for _ in range(FEW_TICKS) for job in leading.tick()]

    assert [job.pk in flood for job in sent[:2]] == [True, True]
    assert {job.pk for job in sent[2:]} == {job.pk for job in behind}


def test_the_full_key_goes_on_in_order_as_soon_as_it_has_room(tenant: Tenant) -> None:
    worker(slots=10)
    flood = many(tenant, CROWD, "full")
    one(tenant, "other")
    leading = Leading()
    sent = [job for _ in range(FEW_TICKS) for job in leading.tick()]

    finish(sent[0])

    assert [job.pk for job in leading.tick()] == [flood[2]]


def test_jobs_that_arrive_behind_a_full_key_are_found_at_once_afterwards(tenant: Tenant) -> None:
    worker(slots=10)
    many(tenant, CROWD, "full")
    leading = Leading()
    for _ in range(FEW_TICKS):
        leading.tick()

    late = [one(tenant), one(tenant, "other"), one(tenant, priority=95)]

    assert {job.pk for job in leading.tick()} == {job.pk for job in late}


def test_of_thousands_of_keys_each_gets_its_turn(tenant: Tenant) -> None:
    """Many of them are full, more than one tick visits."""
    full = [f"a{number:03}" for number in range(keyed.KEYS + 50)]
    for key in full:
        many(tenant, 5, key)
    keys = [f"k{number:04}" for number in range(2000)]
    free = {many(tenant, 1, key)[0] for key in keys}
    rounds = (len(full) + len(keys)) // keyed.KEYS + 2

    found = found_within(Ready(), barred(tenant, *full), rounds, (QUEUE,))

    assert found == free


@pytest.mark.usefixtures("shallow")
def test_each_key_gets_its_turn_although_another_queue_has_room_in_between(
    tenant: Tenant,
) -> None:
    full = [f"a{number:03}" for number in range(2 * keyed.KEYS + 50)]
    for queue in (QUEUE, "mail"):
        for key in full:
            many(tenant, 1, key, queue=queue)
    last = {many(tenant, 1, "z", queue=queue)[0] for queue in (QUEUE, "mail")}

    found = found_within(Ready(), barred(tenant, *full), 12, (QUEUE, "mail"))

    assert found == last


@pytest.mark.usefixtures("shallow")
def test_each_key_gets_its_turn_although_more_tenants_wait_than_one_tick_visits(
    queues: None,
) -> None:
    tenants = [Tenant.objects.create(slug=f"t{number}") for number in range(keyed.PAIRS + 3)]
    full = [f"a{number:03}" for number in range(keyed.KEYS + 50)]
    for tenant in tenants:
        for key in full:
            many(tenant, 1, key)
    last = {many(tenant, 1, "z")[0] for tenant in tenants}
    policy = Policy(
        has_keys=True, barred_keys=[f"{KEYED}:{each.pk}:{key}" for each in tenants for key in full]
    )

    assert found_within(Ready(), policy, 4 * len(tenants), (QUEUE,)) == last


@pytest.mark.usefixtures("shallow")
def test_a_job_of_a_known_type_is_found_behind_others_of_its_key_that_nobody_can_run(
    tenant: Tenant,
) -> None:
    many(tenant, 50, "shared", job_type="nobody.knows")
    (known,) = many(tenant, 1, "shared")

    assert found_within(Ready(), barred(tenant), 10, (QUEUE,)) == {known}


@pytest.fixture
def shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick reads little at the head, so that few jobs are many."""
    monkeypatch.setattr(ready, "DEPTH", 10)
    monkeypatch.setattr(ready, "PAGE", 40)


def test_a_key_whose_jobs_are_done_before_the_next_tick_does_not_hide_the_others(
    tenant: Tenant,
) -> None:
    """Its limit has room at the start of every tick, and is used up by the first of its jobs."""
    declare_keyed(key_max_concurrency=1)
    worker(slots=10)
    flood = set(many(tenant, 1200, "busy"))
    behind = one(tenant, "idle")
    leading = Leading()

    sent = []
    for _ in range(FEW_TICKS):
        for job in leading.tick():
            sent.append(job)
            if job.pk in flood:
                finish(job)

    assert behind in sent
