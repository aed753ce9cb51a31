"""Counts, queues, the oldest and newest jobs, workers, and points of charts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Tenant
from jobs import stats
from jobs.models import DepthSample, Job, Rollup, Worker
from jobs.priorities import Level
from jobs.states import Status
from jobs.stats import EVERYBODYS, METRICS, Count, Whose, WorkerState
from jobs.stats.count import EXACT_TO
from jobs.stats.series import SPANS, STEPS
from tests.jobs import making
from tests.jobs.crowd import analyze, crowd
from tests.jobs.making import INCARNATION, SITUATIONS, in_situation


def statuses(whose: Whose) -> dict[Status, int]:
    counts = stats.counts_of(whose)
    assert counts.exact
    return {status: count.number for status, count in counts.statuses.items() if count.number}


def all_whose(tenant: Tenant) -> list[Whose]:
    return [EVERYBODYS, Whose(tenant=tenant.pk), Whose(tenant=tenant.pk, owner="eve")]


def test_counts_are_exact_and_of_the_callers_own(tenant: Tenant, other: Tenant) -> None:
    for number, status in enumerate((Status.COMPLETED, Status.FAILED, Status.CANCELLED), start=1):
        crowd(tenant, number, status)
    crowd(tenant, 4, Status.COMPLETED, owner="eve")
    crowd(other, 5, Status.COMPLETED, owner="eve")
    crowd(other, 6)
    done, failed, cancelled = Status.COMPLETED, Status.FAILED, Status.CANCELLED
    assert statuses(Whose(tenant=tenant.pk)) == {done: 5, failed: 2, cancelled: 3}
    assert statuses(Whose(tenant=tenant.pk, owner="eve")) == {done: 4}
    assert statuses(Whose(tenant=other.pk)) == {done: 5, Status.QUEUED: 6}
    assert statuses(Whose(owner="eve")) == {done: 9}
    assert statuses(EVERYBODYS) == {done: 10, failed: 2, cancelled: 3, Status.QUEUED: 6}


def test_every_status_is_counted(tenant: Tenant) -> None:
    for situation in SITUATIONS:
        in_situation(tenant, situation)
    expected = {
        status.value: Job.objects.filter(status=status).count()
        for status in Status
        if Job.objects.filter(status=status).exists()
    }
    assert statuses(EVERYBODYS) == expected
    assert statuses(Whose(tenant=tenant.pk)) == expected


def test_waiting_jobs_are_counted_by_level_whether_sent_or_not(
    tenant: Tenant, other: Tenant
) -> None:
    for priority in (0, 29, 30, 69, 70, 89, 90, 100):
        crowd(tenant, 1, priority=priority, owner="eve")
        crowd(other, 1, priority=priority, queue="mail")
    making.send(making.queued(tenant, priority=60))
    level = dict.fromkeys(Level, 4) | {Level.NORMAL: 5}
    counts = stats.counts_of(EVERYBODYS)
    assert {one: count.number for one, count in counts.levels.items()} == level
    assert counts.statuses[Status.QUEUED] == Count(number=17)
    own = stats.counts_of(Whose(tenant=tenant.pk, owner="eve"))
    assert {count.number for count in own.levels.values()} == {2}


def test_beyond_ten_thousand_a_count_is_estimated_and_says_so(
    tenant: Tenant, other: Tenant
) -> None:
    crowd(tenant, EXACT_TO + 2000, Status.COMPLETED, owner="eve")
    crowd(tenant, EXACT_TO + 2000, priority=10, owner="eve")
    crowd(tenant, 7, priority=95, owner="eve")
    crowd(tenant, 3, Status.FAILED, owner="eve")
    crowd(other, 1000, Status.COMPLETED)
    analyze()
    for whose in all_whose(tenant):
        counts = stats.counts_of(whose)
        done, low = counts.statuses[Status.COMPLETED], counts.levels[Level.LOW]
        for count in (done, low):
            assert not count.exact
            assert EXACT_TO < count.number < 2 * EXACT_TO
        assert counts.statuses[Status.FAILED] == Count(number=3)
        assert not counts.exact
        (queue,) = stats.queues_of(whose, ["default"])
        assert (
            queue.counts[Status.COMPLETED] == done
            or abs(queue.counts[Status.COMPLETED].number - done.number) < 2000
        )
        assert not queue.exact
    assert stats.counts_of(EVERYBODYS).levels[Level.URGENT] == Count(number=7)
    assert stats.counts_of(Whose(tenant=other.pk)).exact


def test_ten_thousand_are_still_counted(tenant: Tenant) -> None:
    crowd(tenant, EXACT_TO, Status.COMPLETED)
    count = stats.counts_of(EVERYBODYS).statuses[Status.COMPLETED]
    assert count == Count(number=EXACT_TO)


def test_a_queue_tells_its_own_jobs_oldest_and_workers(tenant: Tenant, other: Tenant) -> None:
    crowd(tenant, 2, priority=95, ago=500, queue="mail")
    crowd(tenant, 3, priority=10, ago=900, queue="mail")
    crowd(tenant, 4, Status.FAILED, queue="mail")
    crowd(other, 5, ago=2000, queue="mail")
    Worker.objects.create(name="w", incarnation=uuid4(), queues=["mail", "mail"])
    mail, reports = stats.queues_of(Whose(tenant=tenant.pk), ["mail", "reports"])
    assert mail.depth[Level.URGENT].number == 2
    assert mail.depth[Level.LOW].number == 3
    assert mail.counts[Status.QUEUED].number == 5
    assert mail.counts[Status.FAILED].number == 4
    assert mail.workers == 1
    assert mail.oldest_at is not None
    assert 900 <= (timezone.now() - mail.oldest_at).total_seconds() < 1500
    assert (reports.oldest_at, reports.workers, reports.exact) == (None, 0, True)
    (everybodys,) = stats.queues_of(EVERYBODYS, ["mail"])
    assert everybodys.counts[Status.QUEUED].number == 10
    assert everybodys.oldest_at is not None
    assert everybodys.oldest_at < mail.oldest_at


def test_the_oldest_waits_longest_and_the_newest_came_last(tenant: Tenant, other: Tenant) -> None:
    jobs = [making.queued(who, owner="eve") for who in (other, tenant, tenant, other, tenant)]
    making.start(jobs[1])
    newest_first = [jobs[n].pk for n in (4, 2, 1)]
    for whose in (Whose(tenant=tenant.pk), Whose(tenant=tenant.pk, owner="eve")):
        assert [job.pk for job in stats.newest_of(whose)] == newest_first
        assert [job.pk for job in stats.newest_of(whose, 2)] == newest_first[:2]
        oldest = stats.oldest_of(whose)
        assert oldest is not None
        assert oldest.pk == jobs[2].pk
    assert stats.oldest_of(EVERYBODYS) == jobs[0]
    assert [job.pk for job in stats.newest_of(EVERYBODYS, 3)] == [jobs[n].pk for n in (4, 3, 2)]
    assert stats.oldest_of(Whose(tenant=tenant.pk, owner="bob")) is None
    assert {"payload", "result"} <= stats.newest_of(EVERYBODYS)[0].get_deferred_fields()


# --- workers ------------------------------------------------------------------------------


def worker(name: str, *, silent: float = 0, **row: object) -> None:
    seen_at = Now() - timedelta(seconds=silent)
    Worker.objects.create(name=name, **{"incarnation": uuid4(), "slots": 2, **row})
    Worker.objects.filter(pk=name).update(seen_at=seen_at)


def test_a_worker_is_idle_busy_stopping_or_lost_and_gone_when_it_stopped(tenant: Tenant) -> None:
    making.start(making.queued(tenant))
    worker("a-busy", incarnation=INCARNATION)
    worker("b-idle")
    worker("c-stopping", stopping=True)
    worker("d-lost", silent=60)
    worker("e-gone", silent=60, stopping=True)
    worker("f-long-gone", silent=2 * 86_400)
    states = {one.name[2:]: one.state for one in stats.workers_of(EVERYBODYS)}
    assert states == {state.value: state for state in WorkerState if state != WorkerState.PAUSED}


def test_a_worker_shows_a_caller_its_own_jobs_only(tenant: Tenant, other: Tenant) -> None:
    worker("w", incarnation=INCARNATION)
    eves = making.start(making.queued(tenant, owner="eve")).id
    bobs = making.start(making.queued(tenant, owner="bob")).id
    foreign = making.start(making.queued(other)).id
    for whose, expected in (
        (EVERYBODYS, (eves, bobs, foreign)),
        (Whose(tenant=tenant.pk), (eves, bobs)),
        (Whose(tenant=tenant.pk, owner="eve"), (eves,)),
    ):
        (found,) = stats.workers_of(whose)
        assert found.current_jobs == expected


# --- charts -------------------------------------------------------------------------------

NOON = datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC)


def rollup(minutes_ago: int, tenant: int = 0, **row: object) -> None:
    minute = NOON.replace(second=0) - timedelta(minutes=minutes_ago)
    Rollup.objects.create(minute=minute, tenant_id=tenant, queue="", type="", **row)


def values(metric: str, step: str = "1m", whose: Whose = EVERYBODYS) -> list[float | None]:
    found = stats.series_of(whose, metric, span=SPANS["1h"], step=STEPS[step], now=NOON)
    assert found.points[-1].at <= NOON < found.points[-1].at + STEPS[step]
    return [point.value for point in found.points]


def test_points_are_sums_of_their_step_and_zero_where_nothing_ended(db: None) -> None:
    rollup(0, completed=3, failed=1)
    rollup(1, completed=2)
    rollup(59, completed=7)
    rollup(60, completed=100)
    assert values("throughput") == [7, *[0] * 57, 2, 4]
    assert values("failures")[-2:] == [0, 1]
    assert values("failure_rate")[-3:] == [None, 0.0, 0.25]
    assert values("throughput", "5m")[-2:] == [2, 4]
    assert len(values("throughput", "5m")) == 12
    assert values("completed", "1h") == [3]


def test_points_are_of_one_tenant(tenant: Tenant) -> None:
    rollup(0, completed=9)
    rollup(0, tenant=tenant.pk, completed=2)
    assert values("throughput", whose=Whose(tenant=tenant.pk))[-1] == 2


def test_a_waits_point_is_a_quantile_over_its_step(db: None) -> None:
    rollup(0, waits=[0, 0, 10])
    rollup(1, waits=[90])
    assert values("wait_p95", "5m")[-2:] == [
        pytest.approx(0.0012, rel=0.2),
        pytest.approx(0.0024, rel=0.2),
    ]
    assert values("wait_p50")[-3:-1] == [None, pytest.approx(0.0012, rel=0.2)]


def test_depth_is_the_highest_of_its_step_and_unknown_where_nobody_looked(tenant: Tenant) -> None:
    for minutes_ago, waiting, own in ((0, 5, 1), (1, 8, None)):
        minute = NOON.replace(second=0) - timedelta(minutes=minutes_ago)
        for who, number in ((0, waiting), (tenant.pk, own)):
            if number is not None:
                DepthSample.objects.create(
                    minute=minute, tenant_id=who, queue="", level="", waiting=number
                )
    assert values("depth")[-3:] == [None, 8, 5]
    assert values("depth", "1h") == [5]
    assert values("depth", whose=Whose(tenant=tenant.pk))[-3:] == [None, 0, 1]


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_has_points_of_an_empty_installation(metric: str, db: None) -> None:
    assert len(values(metric)) == 60
