"""Who waited long overtakes, and is sent with what it has risen to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from jobs.ageing import Ageing
from jobs.dispatcher.aged import MOST_OF_A_TENANT, AgedBand, AgedBands
from jobs.message import FencedJob
from jobs.models import Job, Pause, PauseKind
from jobs.policies.buckets import Place
from jobs.policies.changes import changing
from tests.jobs import making
from tests.jobs.broker_lists import emptied
from tests.jobs.limited import Leading, many, one, worker
from tests.jobs.test_dispatcher import arrived

HOUR = 3600.0


@pytest.fixture(autouse=True)
def lists(db: None, settings: Settings) -> None:
    emptied()
    settings.AGEING_AFTER_SECONDS, settings.AGEING_EVERY_SECONDS = HOUR, 300.0
    settings.AGEING_STEP, settings.AGEING_HIGHEST = 10, 100


def waited(seconds: float, *jobs: Job) -> None:
    """Have been ready for so long."""
    ids = [job.pk for job in jobs]
    Job.objects.filter(pk__in=ids).update(queued_at=Now() - timedelta(seconds=seconds))


def rising(place: Place, priority: int, queued_at: datetime) -> int:
    return Ageing().effective(priority, (timezone.now() - queued_at).total_seconds())


def bands() -> Sequence[AgedBand]:
    return AgedBands().look(Ageing(), timezone.now(), rising)


def test_while_nobody_has_waited_long_there_is_nothing_to_read(tenant: Tenant) -> None:
    many(tenant, 50)
    waited(HOUR - 60, one(tenant))

    assert list(bands()) == []


def test_without_a_step_there_is_nothing_to_read(tenant: Tenant) -> None:
    waited(9 * HOUR, one(tenant))

    assert list(AgedBands().look(Ageing(step=0), timezone.now(), rising)) == []


def test_a_band_is_of_one_queue_tenant_and_priority_and_rises_with_its_oldest(
    tenant: Tenant, other: Tenant
) -> None:
    places = [(tenant, "default", 20), (tenant, "default", 30), (tenant, "mail", 20),
              (other, "default", 20)]  # fmt: skip
    for who, queue, priority in places:
        oldest, younger = (one(who, priority=priority, queue=queue) for _ in range(2))
        waited(HOUR + 1, oldest)
        waited(HOUR - 60, younger)
        one(who, priority=priority + 1, queue=queue)

    found = {(band.tenant, band.queue, band.priority, band.aged_to) for band in bands()}

    assert found == {(who.pk, queue, priority, priority + 10) for who, queue, priority in places}


def test_a_younger_job_in_front_hides_no_older_one(tenant: Tenant) -> None:
    """As after a retry: its place is that of its acceptance, its waiting begins anew."""
    one(tenant, priority=20)
    old = one(tenant, priority=20)
    waited(HOUR + 301, old)

    assert [band.aged_to for band in bands()] == [40]


def test_of_many_bands_of_a_tenant_those_that_have_risen_highest_are_read(tenant: Tenant) -> None:
    for priority in range(10):
        waited(HOUR + 1 + 300 * priority, one(tenant, priority=priority))

    found = sorted((band.priority, band.aged_to) for band in bands())

    assert found == [(n, min(100, n + 10 * (n + 1))) for n in range(10 - MOST_OF_A_TENANT, 10)]


def test_the_old_overtake_in_the_order_of_what_they_have_risen_to(tenant: Tenant) -> None:
    many(tenant, 200, priority=60)
    old = [one(tenant, priority=priority) for priority in (40, 5, 55)]
    waited(HOUR + 300, old[0])  # 60: behind those who had that before
    waited(HOUR + 3000, old[1])  # 100
    waited(HOUR, old[2])  # 65
    worker(slots=2)
    leading = Leading()
    leading.look_at_aged()

    assert leading.tick() == [old[1], old[2]]


def test_it_is_sent_in_the_level_that_it_has_risen_to(tenant: Tenant) -> None:
    low, never = one(tenant, priority=20), one(tenant, priority=25)
    waited(HOUR + 21 * 300, low)
    worker()
    leading = Leading()
    leading.look_at_aged()

    leading.tick()

    assert arrived() == {"default.urgent": [held(low)], "default.low": [held(never)]}
    after = making.fresh(low)
    assert (after.priority, after.base_priority, after.sent_priority) == (20, 20, 100)


def held(job: Job) -> FencedJob:
    return making.held(job)


def test_a_message_in_too_low_a_list_is_sent_again_in_the_right_one(tenant: Tenant) -> None:
    job = one(tenant, priority=25)
    worker()
    leading = Leading()
    leading.tick()
    assert list(arrived()) == ["default.low"]

    waited(HOUR, job)
    assert leading.recall() == 1
    leading.tick()

    assert arrived() == {"default.normal": [held(job)]}
    assert leading.recall() == 0


def test_the_aged_are_found_behind_a_flood_of_another_priority(tenant: Tenant) -> None:
    """Far behind what one tick reads of the head."""
    many(tenant, 3000, priority=95)
    job = one(tenant, priority=0)
    waited(9 * HOUR, job)
    worker(slots=3)
    leading = Leading()
    assert job not in leading.tick()
    Job.objects.in_flight().update(dispatched_at=None, fence=9)

    leading.look_at_aged()

    assert job in leading.tick()


def test_time_in_a_pause_does_not_count(tenant: Tenant) -> None:
    job = one(tenant, priority=20)
    waited(9 * HOUR, job)
    with changing():
        Pause.objects.create(
            kind=PauseKind.QUEUE, target="default", created_by="eve",
            created_at=Now() - timedelta(seconds=9 * HOUR),
            ended_at=Now() - timedelta(seconds=HOUR + 1),
        )  # fmt: skip
    worker()
    leading = Leading()

    leading.tick()

    assert making.fresh(job).sent_priority == 30
