"""What ended is written once, whatever happens, and read once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from pytest_django import Settings

from accounts.models import Tenant
from jobs import lifecycle
from jobs.models import DepthSample, Job, Rollup, RollupMark
from jobs.models.rollup import EVERY_TENANT
from jobs.states import Status
from jobs.stats import EVERYBODYS, Whose, Window, measured, rollup
from jobs.stats.histogram import quantile
from jobs.stats.measured import LIVE_LIMIT
from jobs.stats.pruning import prune
from jobs.stats.rollup import roll_up
from jobs.stats.sampling import sample
from tests.jobs import making
from tests.jobs.crowd import crowd
from tests.support.waiting import wait_for


@pytest.fixture
def young(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has just ended stays so for 20 seconds, not two, however slow this machine is."""
    assert "'2 seconds'" in rollup._SETTLED
    longer = rollup._SETTLED.replace("'2 seconds'", "'20 seconds'")
    monkeypatch.setattr(rollup, "_SETTLED", longer)


def total(field: str = "completed", tenant: int = EVERY_TENANT) -> int:
    rows = Rollup.objects.filter(tenant_id=tenant, queue="", type="")
    return int(sum(rows.values_list(field, flat=True)))


def all_told(window: Window = Window.DAY, whose: Whose = EVERYBODYS) -> int:
    return measured(whose).windows[window].finished


def caught_up(most: int = 1000) -> int:
    """Roll up until nothing is left. Returns the number of steps that found something."""
    steps = 0
    while roll_up(most):
        steps += 1
    return steps


def test_what_ended_is_written_by_tenant_queue_and_type_and_added_up(
    tenant: Tenant, other: Tenant
) -> None:
    crowd(tenant, 3, Status.COMPLETED, ago=60)
    crowd(tenant, 2, Status.FAILED, ago=60, queue="mail", retry_count=1)
    crowd(tenant, 1, Status.CANCELLED, ago=60)
    crowd(other, 5, Status.COMPLETED, ago=60, retry_count=2)

    assert roll_up() == 11

    assert (total(), total("failed"), total("cancelled")) == (8, 2, 1)
    assert (total(tenant=tenant.pk), total(tenant=other.pk)) == (3, 5)
    assert (total("completed_after_retry"), total("failed_after_retry")) == (5, 2)
    mail = Rollup.objects.filter(tenant_id=EVERY_TENANT, queue="mail", type="")
    assert sum(mail.values_list("failed", flat=True)) == 2
    parts = Rollup.objects.exclude(queue="").exclude(type="")
    assert sum(row.completed + row.failed + row.cancelled for row in parts) == 11
    assert sum(sum(row.waits) for row in parts) == 10  # a cancelled job's wait says nothing


def test_a_second_look_adds_nothing(tenant: Tenant) -> None:
    crowd(tenant, 4, Status.COMPLETED, ago=60)
    assert roll_up() == 4
    assert roll_up() == 0
    assert total() == 4


def test_the_same_minute_is_added_to(tenant: Tenant) -> None:
    crowd(tenant, 4, Status.COMPLETED, ago=600)
    before = Job.objects.earliest("completed_at").completed_at
    assert before is not None
    roll_up()
    RollupMark.objects.update(until=before - timedelta(seconds=1))
    Job.objects.all().delete()
    crowd(tenant, 3, Status.COMPLETED, ago=600)
    Job.objects.update(completed_at=before)

    roll_up()

    row = Rollup.objects.get(tenant_id=EVERY_TENANT, queue="", type="")
    assert (row.completed, sum(row.waits), row.run_seconds) == (7, 7, 7.0)


@pytest.mark.usefixtures("young")
def test_what_has_just_ended_is_left_for_the_next_time(tenant: Tenant) -> None:
    crowd(tenant, 2, Status.COMPLETED)
    assert roll_up() == 0
    assert all_told() == 2


def test_after_an_outage_it_catches_up_in_small_steps_and_loses_nothing(tenant: Tenant) -> None:
    for minutes in range(20):
        crowd(tenant, 10, Status.COMPLETED, ago=60 + 60 * minutes)
    assert caught_up(most=25) >= 8
    assert total() == 200
    assert all_told() == 200


def test_jobs_that_ended_at_the_same_moment_are_not_torn_apart(tenant: Tenant) -> None:
    crowd(tenant, 50, Status.COMPLETED, ago=60)
    Job.objects.update(completed_at=Job.objects.latest("completed_at").completed_at)
    assert roll_up(7) == 50
    assert roll_up(7) == 0


@pytest.mark.usefixtures("young")
def test_written_and_unwritten_are_never_counted_twice(tenant: Tenant) -> None:
    crowd(tenant, 5, Status.COMPLETED, ago=30)
    crowd(tenant, 3, Status.COMPLETED)
    assert [all_told(window) for window in Window] == [8, 8, 8]
    roll_up()
    assert total() == 5
    assert [all_told(window) for window in Window] == [8, 8, 8]


def test_each_window_holds_what_ended_in_it(tenant: Tenant) -> None:
    crowd(tenant, 1, Status.COMPLETED, ago=5)
    crowd(tenant, 2, Status.COMPLETED, ago=1800)
    crowd(tenant, 4, Status.FAILED, ago=7200)
    crowd(tenant, 8, Status.COMPLETED, ago=2 * 86_400)
    expected = [1, 3, 7]
    RollupMark.objects.create(name="ended", until=Now() - timedelta(days=3))
    assert [all_told(window) for window in Window] == expected
    caught_up()
    assert [all_told(window) for window in Window] == expected
    assert measured(EVERYBODYS).windows[Window.DAY].failure_rate == pytest.approx(4 / 7)


def test_where_too_much_ended_lately_the_figures_lag_and_say_so(tenant: Tenant) -> None:
    crowd(tenant, 3, Status.COMPLETED, ago=60)
    roll_up()
    crowd(tenant, LIVE_LIMIT + 1, Status.COMPLETED)

    found = measured(EVERYBODYS)

    assert not found.live
    assert found.windows[Window.DAY].finished == 3


def test_tenants_and_owners_are_apart(tenant: Tenant, other: Tenant) -> None:
    crowd(tenant, 2, Status.COMPLETED, ago=90)
    crowd(tenant, 3, Status.COMPLETED, ago=90, owner="eve")
    crowd(other, 5, Status.COMPLETED, ago=90, owner="eve")
    crowd(other, 7, Status.COMPLETED)
    for _ in range(2):
        assert all_told(whose=Whose(tenant=tenant.pk)) == 5
        assert all_told(whose=Whose(tenant=tenant.pk, owner="eve")) == 3
        assert all_told(whose=Whose(tenant=other.pk)) == 12
        assert all_told() == 17
        roll_up()


def test_a_wait_begins_when_the_job_could_be_started(tenant: Tenant) -> None:
    crowd(tenant, 1, Status.COMPLETED, ago=60)
    assert (quantile(_waits(), 0.5) or 0) == pytest.approx(1, rel=0.2)
    Job.objects.update(created_at=Now() - timedelta(hours=1))
    assert (quantile(_waits(), 0.5) or 0) > 3000
    Job.objects.update(run_at=Now() - timedelta(seconds=61 + 4))
    assert (quantile(_waits(), 0.5) or 0) == pytest.approx(4, rel=0.2)
    Job.objects.update(attempt=2)
    assert sum(_waits()) == 0


def _waits() -> list[int]:
    return measured(EVERYBODYS).windows[Window.HOUR].waits


def test_the_engines_own_verbs_are_counted(tenant: Tenant) -> None:
    making.complete(making.queued(tenant))
    making.in_situation(tenant, "failed")
    making.in_situation(tenant, "cancelled")
    ended = measured(EVERYBODYS).windows[Window.MINUTE]
    assert (ended.completed, ended.failed, ended.cancelled) == (1, 1, 1)
    assert ended.average_seconds is not None
    assert sum(ended.waits) == 2


# --- several at once ----------------------------------------------------------------------


@contextmanager
def elsewhere(step: Callable[[], object]) -> Iterator[threading.Thread]:
    """Another process, as far as the database can tell."""

    def run() -> None:
        try:
            step()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield thread
    finally:
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_two_dispatchers_at_once_write_everything_once(tenant: Tenant) -> None:
    for minutes in range(10):
        crowd(tenant, 20, Status.COMPLETED, ago=60 + 60 * minutes)
    begin = threading.Barrier(3)

    def work() -> None:
        begin.wait()
        for _ in range(60):
            roll_up(20)

    with elsewhere(work), elsewhere(work):
        begin.wait()
    assert caught_up() <= 1
    assert total() == 200


@pytest.mark.django_db(transaction=True)
def test_a_job_whose_end_is_committed_late_is_counted(tenant: Tenant) -> None:
    """Its end is dated before the step, and seen after it."""
    attempt = making.start(making.queued(tenant))
    written, may_commit = threading.Event(), threading.Event()

    def complete_slowly() -> None:
        with transaction.atomic():
            lifecycle.complete(attempt, result=None)
            written.set()
            assert may_commit.wait(60)

    with elsewhere(complete_slowly):
        assert written.wait(60)
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            (dated_before,) = cursor.fetchone()
        try:
            wait_for(_passed(dated_before), seconds=60, what="the clock is past the margin")
            roll_up()
            assert RollupMark.objects.get().until < dated_before
        finally:
            may_commit.set()
    wait_for(lambda: roll_up() == 1, seconds=60, what="it is written once it is seen")
    assert total() == 1


def _passed(moment: datetime) -> Callable[[], bool]:
    def look() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp() - interval '2.5 s' > %s", [moment])
            return bool(cursor.fetchone()[0])

    return look


@pytest.mark.django_db(transaction=True)
def test_a_step_that_is_broken_off_leaves_nothing_behind(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(tenant, 4, Status.COMPLETED, ago=60)
    roll_up()
    crowd(tenant, 4, Status.COMPLETED, ago=3)
    mark = RollupMark.objects.get().until
    with monkeypatch.context() as patch:
        patch.setattr("jobs.stats.rollup._MOVE", "SELECT 1 / 0")
        with pytest.raises(Exception, match="division by zero"):
            roll_up()
    assert (total(), RollupMark.objects.get().until) == (4, mark)


# --- samples and retention ----------------------------------------------------------------


def test_a_sample_tells_what_waits_and_runs_and_is_taken_once_a_minute(
    tenant: Tenant, other: Tenant
) -> None:
    crowd(tenant, 3, priority=50)
    crowd(tenant, 2, priority=95, queue="mail")
    crowd(other, 4, priority=10)
    making.start(making.queued(other, priority=50))
    making.send(making.queued(tenant, priority=75))

    assert sample() > 0

    def row(tenant_id: int, queue: str, level: str) -> tuple[int, int]:
        one = DepthSample.objects.get(tenant_id=tenant_id, queue=queue, level=level)
        return one.waiting, one.processing

    assert row(EVERY_TENANT, "", "") == (10, 1)
    assert row(tenant.pk, "", "") == (6, 0)
    assert row(tenant.pk, "mail", "urgent") == (2, 0)
    assert row(other.pk, "default", "normal") == (0, 1)
    assert row(tenant.pk, "default", "high") == (1, 0)
    minutes = DepthSample.objects.values_list("minute", flat=True)
    if sample():  # the minute has just changed
        assert len(set(minutes)) == 2
    assert sample() == 0


def test_the_old_are_removed_a_batch_at_a_time_and_the_young_are_kept(
    db: None, settings: Settings
) -> None:
    settings.RETENTION_STATS_DAYS = 30
    for days in (29, 31, 32, 33):
        at = Now() - timedelta(days=days)
        Rollup.objects.create(minute=at, tenant_id=0, queue=str(days), type="")
        DepthSample.objects.create(minute=at, tenant_id=0, queue=str(days), level="")
    assert [prune(2), prune(2), prune(2)] == [4, 2, 0]
    assert [row.queue for row in Rollup.objects.all()] == ["29"]
    assert [row.queue for row in DepthSample.objects.all()] == ["29"]
