"""The platform's own jobs live as all do, and no figure has them."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
import redis
from celery import Celery
from django.db.models import F
from pytest_django import Settings

from accounts import tenants
from accounts.models import Tenant
from accounts.tenants import platform_of
from config.doctor import processes, waiting
from config.doctor.finding import Level
from config.vitals.health import Verdict, health_of
from jobs import batches, lifecycle, stats, wire
from jobs.apps import make_queues
from jobs.enqueue import JobRequest
from jobs.explain import Code, explain
from jobs.failures import Wanted, groups_of
from jobs.live.telling import stream_of
from jobs.models import Attempt, DepthSample, Job, Queue, Rollup
from jobs.retention.round import run_to_the_end
from jobs.states import Status
from jobs.stats import ALL_THERE_ARE, EVERYBODYS, Count
from jobs.stats.estimate import estimates
from jobs.stats.picking import newest_failed_of
from jobs.stats.rollup import roll_up
from jobs.stats.sampling import sample
from jobs.stats.unknown import unknown_types_of
from jobs.worker.intake import Intake
from scheduling.definition import Definition, mistakes
from tests.jobs import making, ours
from tests.jobs.aged import age
from tests.jobs.broker_lists import emptied
from tests.jobs.kinds import ECHO
from tests.jobs.limited import Leading, many, worker
from tests.testapp.ours import OURS, QUEUE

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _queue(queues: None) -> None:
    make_queues()


# --- as all jobs -------------------------------------------------------------------------------


@pytest.fixture
def leading(settings: Settings) -> Leading:
    emptied()
    return Leading()


@pytest.mark.parametrize("is_there", [False, True], ids=["without", "with"])
def test_it_is_sent_where_a_worker_takes_its_queue_and_nowhere_else(
    tenant: Tenant, leading: Leading, is_there: bool
) -> None:
    worker(types=(ECHO, OURS))
    if is_there:
        worker(QUEUE, types=(ECHO, OURS), slots=16)
    mine, *others = making.queued(tenant), *(ours.one(tenant) for _ in range(16))

    assert leading.tick() == [mine, *(others if is_there else [])]


def test_tenants_take_turns_for_it_by_their_weights(
    tenant: Tenant, other: Tenant, leading: Leading
) -> None:
    for one, weight in ((tenant, 3), (other, 1)):
        tenants.change(one, by="user:eve", limits={"weight": weight})
        many(platform_of(one), 12, queue=QUEUE, job_type=OURS)
    worker(QUEUE, types=(OURS,), slots=8)

    sent = leading.tick()

    shares = [sum(job.tenant_id == platform_of(one).pk for job in sent) for one in (tenant, other)]
    assert shares == [6, 2]


def test_its_attempt_may_fail_be_tried_again_and_be_rescued(tenant: Tenant) -> None:
    job = ours.one(tenant)
    lifecycle.retry_later(making.start(job), delay_seconds=60, error=making.ERROR)
    making.let_pass(job, "visible_at")
    lifecycle.promote(limit=10)
    making.start(job)
    making.let_pass(job, "lease_expires_at")
    lifecycle.rescue(limit=10, crash_limit=5, error=making.ERROR)

    assert making.complete(job).status == Status.COMPLETED
    assert Attempt.objects.filter(job=job).count() == 2


@pytest.mark.django_db(transaction=True)
def test_it_goes_when_its_retention_is_over(tenant: Tenant) -> None:
    young, old = (age(making.complete(ours.one(tenant)), days=days) for days in (29, 31))
    run_to_the_end()
    assert list(Job.objects.filter(type=OURS)) == [young]
    assert old.pk != young.pk


def test_why_it_waits_is_told_to_who_may_look_at_it(tenant: Tenant) -> None:
    codes = {reason.code for reason in explain(ours.one(tenant)).reasons}
    assert Code.NO_WORKER in codes


# --- in no figure ------------------------------------------------------------------------------


def test_no_figure_of_all_tenants_counts_them(tenant: Tenant) -> None:
    ours.of_every_status(tenant)
    mine = making.queued(tenant)

    counts = stats.counts_of(EVERYBODYS)
    assert {status: n.number for status, n in counts.statuses.items() if n.number} == {
        Status.QUEUED: 1
    }
    assert stats.oldest_of(EVERYBODYS) == mine
    assert stats.newest_of(EVERYBODYS) == [mine]
    assert newest_failed_of(EVERYBODYS) == []
    assert groups_of(Wanted(), 10) == []
    assert stats.measured(EVERYBODYS).windows[stats.Window.DAY].finished == 0
    (figures,) = stats.queues_of(EVERYBODYS, [QUEUE])
    assert figures.counts == dict.fromkeys(Status, Count())
    worker(QUEUE, types=(ECHO,))
    assert unknown_types_of(EVERYBODYS) == {}


def test_who_looks_after_the_platform_may_have_them_counted(tenant: Tenant) -> None:
    ours.of_every_status(tenant)

    (figures,) = stats.queues_of(ALL_THERE_ARE, [QUEUE])

    ended = (Status.PROCESSING, Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.QUEUED)
    assert {status: figures.counts[status].number for status in ended} == dict.fromkeys(ended, 1)
    assert figures.oldest_at is not None


def test_no_estimate_of_all_jobs_asks_for_them(tenant: Tenant) -> None:
    statements = [
        str(Job.objects.filter(whose.condition).values("pk").query)
        for whose in (EVERYBODYS, ALL_THERE_ARE)
    ]
    assert [QUEUE in statement for statement in statements] == [True, False]
    assert estimates(EVERYBODYS, {"all": EVERYBODYS.condition})["all"] >= 0


def test_no_roll_up_and_no_sample_has_them(tenant: Tenant) -> None:
    mine = making.complete(making.queued(tenant))
    ours.of_every_status(tenant)
    gone = timedelta(minutes=2)
    moments = ("created_at", "completed_at", "cancelled_at", "started_at")
    Job.objects.update(**{name: F(name) - gone for name in moments})

    assert roll_up() == 4  # of which three are the platform's own
    sample()

    assert set(Rollup.objects.values_list("tenant_id", flat=True)) == {0, tenant.pk}
    assert set(Rollup.objects.exclude(queue="").values_list("queue", flat=True)) == {mine.queue_id}
    assert list(DepthSample.objects.values_list("tenant_id", "waiting", "processing")) == [
        (0, 0, 0)
    ]


@pytest.mark.django_db(transaction=True)
def test_nothing_of_them_is_written_into_a_stream(tenant: Tenant, settings: Settings) -> None:
    theirs, ours_alone = stream_of(tenant.pk), stream_of(platform_of(tenant).pk)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete(theirs, ours_alone)  # a tenant of another test may have had this number
    job = ours.one(tenant)
    held = making.start(job)
    lifecycle.progress(held, percent=50, message="half")
    lifecycle.complete(held, result=1)
    lifecycle.cancel(ours.one(tenant).pk, by="user:eve")
    mine = making.queued(tenant)
    lifecycle.progress(making.start(mine), percent=50, message="half")
    wire.flush()

    with redis.Redis.from_url(settings.REDIS_URL) as client:
        assert client.xlen(theirs) >= 3
        assert client.xlen(ours_alone) == 0


# --- workers, health and the doctor ------------------------------------------------------------


def intake(*asked: str) -> Intake:
    app = Celery(set_as_current=False)
    if asked:
        app.amqp.queues.select(list(asked))
    return Intake(SimpleNamespace(app=app))


def test_a_worker_of_all_queues_leaves_the_platforms_out() -> None:
    everything = intake()
    everything.look_for_new_queues()

    assert QUEUE not in everything.queues
    assert "default" in everything.queues

    Queue.objects.all().delete()
    assert QUEUE not in intake().queues


def test_a_worker_that_names_one_takes_it_and_no_other() -> None:
    named = intake(QUEUE)
    named.look_for_new_queues()
    assert list(named.queues) == [QUEUE]


def test_health_knows_nothing_of_them_and_the_doctor_all(tenant: Tenant) -> None:
    def found() -> list[Level]:
        looks = (waiting.queues, waiting.platform_queues, waiting.job_types)
        return [look().level for look in looks]

    worker(types=(ECHO, OURS))
    assert found() == [Level.OK] * 3
    ours.one(tenant)

    assert found() == [Level.OK, Level.FAIL, Level.OK]
    assert not any(queue.name == QUEUE for queue in health_of(EVERYBODYS).queues)
    assert health_of(EVERYBODYS).verdict != Verdict.UNHEALTHY
    told = waiting.platform_queues()
    assert f"1 in {QUEUE}" in told.detail
    assert told.way_out == (f"celery -A config worker -Q {QUEUE} --pool=threads --concurrency=16")
    worker(QUEUE, types=(OURS,))
    assert found() == [Level.OK] * 3


def test_the_doctor_takes_a_worker_of_the_platforms_jobs_for_no_worker(tenant: Tenant) -> None:
    worker(QUEUE, types=(ECHO, OURS))
    assert processes.workers().level is Level.FAIL
    worker(types=(ECHO,))
    assert processes.workers().level is Level.OK


# --- declared in code --------------------------------------------------------------------------


def test_a_schedule_that_is_declared_for_one_is_told_by_check() -> None:
    wrong = mistakes(Definition(name="s", type=OURS, cron_expression="@daily"))
    assert [(one.pointer, one.detail) for one in wrong] == [
        ("/type", f"There is no job type {OURS!r}.")
    ]


def test_items_of_a_batch_are_refused_alone(tenant: Tenant) -> None:
    handed_in = batches.hand_in(
        tenant, [JobRequest(type_name=kind, payload={}) for kind in (OURS, ECHO)]
    )
    assert [type(outcome).__name__ for outcome in handed_in.outcomes] == [
        "UnknownJobType",
        "Enqueued",
    ]
