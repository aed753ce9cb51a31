"""Keys that are closed: by a job that was told to come back later, or by their circuit breaker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, cast

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Tenant
from jobs import Cancel, Circuit, JobContext, RateLimited, Retry, Snooze, job_type, lifecycle
from jobs.backoff import Backoff
from jobs.enqueue import enqueue
from jobs.models import Job, KeyState
from jobs.policies import closing, snapshot
from jobs.policies.buckets import of_key
from jobs.policies.rules import PROBE, Held
from jobs.states import Status
from jobs.worker import ending
from jobs.worker.execution import Execution
from jobs.worker.gate import Gate
from jobs.worker.identity import WorkerIdentity
from jobs.worker.outcome import Limited, RetryPolicy, classify
from jobs.worker.slots import Slots
from tests.jobs import making
from tests.jobs.kinds import QUEUE
from tests.jobs.open_gate import OpenGate

pytestmark = pytest.mark.django_db(transaction=True)

CRAWL, PLAIN = "tests.crawl", "tests.plain"
FAILURES = 3
KEY = "site:a"


@pytest.fixture(autouse=True)
def declared(declaring: None) -> None:
    """Job types whose code does what its payload says."""

    def misbehave(how: str) -> str:
        match how:
            case "limited":
                raise RateLimited(600)
            case "limited elsewhere":
                raise RateLimited(600, key="site:b")
            case "fail":
                raise OSError(how)
            case "retry":
                raise Retry(3600)
            case "snooze":
                raise Snooze(3600)
            case "cancel":
                raise Cancel()
        return how

    @job_type(
        CRAWL, queue=QUEUE, limit_key="site:{site}", max_retries=1, retry_backoff="none",
        circuit=Circuit(failures=FAILURES, open_seconds=600),
    )  # fmt: skip
    def crawl(context: JobContext, *, site: str = "a", how: str = "well") -> str:
        return misbehave(how)

    @job_type(PLAIN, queue=QUEUE)
    def plain(context: JobContext, *, how: str = "well") -> str:
        return misbehave(how)


@pytest.fixture
def execution() -> Execution:
    identity = WorkerIdentity(name="w@test", lease_seconds=30)
    return Execution(identity, Slots(1).slot(0), cast(Gate, OpenGate()))


def made(tenant: Tenant, how: str = "well", name: str = CRAWL, **payload: str) -> Job:
    return Job.objects.get(pk=enqueue(tenant, name, {"how": how, **payload}).job.pk)


def run(execution: Execution, tenant: Tenant, *hows: str, name: str = CRAWL) -> Job:
    for how in hows:
        job = made(tenant, how, name)
        execution.run(making.send(job))
    return making.fresh(job)


def state() -> KeyState:
    return KeyState.objects.get()


def let_closing_pass() -> None:
    KeyState.objects.update(closed_until=Now() - timedelta(seconds=1))


def why_held(tenant: Tenant, key: str = KEY) -> Held | None:
    holds = snapshot.read().holds_of(of_key(tenant.pk, key), timezone.now())
    return holds[0].why if holds else None


# --- told to come back later -----------------------------------------------------------------


def test_a_rate_limited_job_waits_without_a_retry_and_closes_its_key(
    execution: Execution, tenant: Tenant
) -> None:
    job = run(execution, tenant, "limited")
    assert (job.status, job.retry_count, job.crash_count) == (Status.SCHEDULED, 0, 0)
    assert job.visible_at is not None
    assert 590 < (job.visible_at - timezone.now()).total_seconds() <= 600
    found = state()
    assert (found.tenant, found.key, found.failures, found.opened_at) == (tenant, KEY, 0, None)
    assert str(job.pk) in found.reason
    assert why_held(tenant) == Held.CLOSED


def test_another_key_of_the_tenant_can_be_closed(execution: Execution, tenant: Tenant) -> None:
    run(execution, tenant, "limited elsewhere")
    assert (why_held(tenant), why_held(tenant, "site:b")) == (None, Held.CLOSED)


def test_a_rate_limited_job_without_a_key_is_snoozed(execution: Execution, tenant: Tenant) -> None:
    job = run(execution, tenant, "limited", name=PLAIN)
    assert (job.status, job.retry_count) == (Status.SCHEDULED, 0)
    assert not KeyState.objects.exists()


def test_what_was_sent_of_a_closed_key_is_taken_back(
    execution: Execution, tenant: Tenant, other: Tenant
) -> None:
    same, another, foreign = made(tenant), made(tenant, site="c"), made(other)
    messages = [making.send(job) for job in (same, another, foreign)]
    run(execution, tenant, "limited")
    assert [making.take(message) is not None for message in messages] == [False, True, True]


def test_a_key_stays_closed_for_the_longest_that_was_asked(tenant: Tenant) -> None:
    job = made(tenant)
    longest = closing.close(job.pk, key=None, seconds=600)
    assert closing.close(job.pk, key=None, seconds=5) == longest
    later = closing.close(job.pk, key=None, seconds=1200)
    assert longest is not None
    assert later is not None
    assert later > longest


def classified(told: RateLimited) -> Limited:
    policy = RetryPolicy(backoff=Backoff(), retry_count=0, max_retries=0)
    outcome = classify(told, policy, random=Random(0))
    assert isinstance(outcome, Limited)
    return outcome


@pytest.mark.parametrize(
    ("until", "seconds"),
    [(5, 5.0), (0, 0.0), (-5, 0.0), (10**9, 86_400.0), (float("nan"), 0.0),
     (float("inf"), 86_400.0), (datetime(2001, 1, 1, tzinfo=UTC), 0.0),
     (datetime(2999, 1, 1, tzinfo=UTC), 86_400.0)],
)  # fmt: skip
def test_until_is_between_now_and_a_day_away(until: Any, seconds: float) -> None:
    assert classified(RateLimited(until)).delay_seconds == seconds


def test_until_may_be_a_moment() -> None:
    told = RateLimited(timezone.now() + timedelta(hours=1), key="x" * 300)
    outcome = classified(told)
    assert 3500 < outcome.delay_seconds <= 3600
    assert outcome.key == "x" * 255


@pytest.mark.parametrize("until", [datetime(2026, 1, 1), "soon", None])
def test_a_moment_without_a_time_zone_and_nonsense_are_the_job_codes_mistake(until: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        RateLimited(until)


# --- the circuit breaker ---------------------------------------------------------------------


def test_failures_in_a_row_open_the_circuit_breaker(execution: Execution, tenant: Tenant) -> None:
    run(execution, tenant, "fail", "retry")
    assert (state().failures, state().opened_at, why_held(tenant)) == (2, None, None)
    run(execution, tenant, "fail")
    found = state()
    assert found.opened_at is not None
    assert found.closed_until is not None
    assert 590 < (found.closed_until - timezone.now()).total_seconds() <= 600
    assert why_held(tenant) == Held.CIRCUIT


def test_what_was_sent_is_taken_back_when_it_opens(execution: Execution, tenant: Tenant) -> None:
    message = making.send(made(tenant))
    run(execution, tenant, *["fail"] * FAILURES)
    assert making.take(message) is None


def test_a_success_in_between_starts_the_count_again(execution: Execution, tenant: Tenant) -> None:
    run(execution, tenant, "fail", "fail", "well", "fail", "fail")
    assert (state().failures, state().opened_at) == (2, None)


@pytest.mark.parametrize("how", ["limited", "snooze", "cancel"])
def test_what_is_no_failure_neither_counts_nor_clears(
    how: str, execution: Execution, tenant: Tenant
) -> None:
    run(execution, tenant, "fail", how)
    assert (state().failures, state().opened_at) == (1, None)


def test_a_lost_worker_is_no_failure_of_the_key(tenant: Tenant) -> None:
    for _ in range(FAILURES):
        lifecycle.lose(making.start(made(tenant)), crash_limit=3, error=making.ERROR)
    assert not KeyState.objects.exists()


def test_an_attempt_that_was_ended_at_its_time_limit_is_a_failure(tenant: Tenant) -> None:
    for _ in range(FAILURES):
        ending.timed_out(making.start(made(tenant)))
    assert why_held(tenant) == Held.CIRCUIT


def test_after_its_time_one_is_tried_and_its_success_lets_the_others_go_on(
    execution: Execution, tenant: Tenant
) -> None:
    run(execution, tenant, *["fail"] * FAILURES)
    let_closing_pass()
    bucket = of_key(tenant.pk, KEY)
    read = snapshot.read()
    assert not read.is_held(bucket, timezone.now())
    assert list(read.key_limits_of(CRAWL, bucket)) == [PROBE]

    run(execution, tenant, "well")
    assert (state().failures, state().opened_at) == (0, None)
    assert list(snapshot.read().key_limits_of(CRAWL, bucket)) == []


def test_a_failed_try_closes_the_key_for_as_long_again(
    execution: Execution, tenant: Tenant
) -> None:
    run(execution, tenant, *["fail"] * FAILURES)
    opened_at = state().opened_at
    let_closing_pass()
    run(execution, tenant, "fail")
    assert why_held(tenant) == Held.CIRCUIT
    assert state().opened_at == opened_at


def test_what_ran_when_it_opened_and_fails_later_prolongs_nothing(
    execution: Execution, tenant: Tenant
) -> None:
    run(execution, tenant, *["fail"] * FAILURES)
    until = state().closed_until
    run(execution, tenant, "fail")
    assert state().closed_until == until


def test_a_success_opens_no_key_that_was_closed_for_another_reason(
    execution: Execution, tenant: Tenant
) -> None:
    run(execution, tenant, "fail", "limited", "well")
    assert state().failures == 0
    assert why_held(tenant) == Held.CLOSED


@pytest.mark.parametrize("how", ["well", "fail"])
def test_an_attempt_that_began_before_the_breaker_opened_is_no_trial(
    how: str, execution: Execution, tenant: Tenant
) -> None:
    held = making.start(made(tenant))
    run(execution, tenant, *["fail"] * FAILURES)
    Job.objects.filter(pk=held.id).update(started_at=Now() - timedelta(seconds=60))
    let_closing_pass()
    before = state()
    if how == "well":
        assert not closing.succeeded(held.id)
    else:
        assert not closing.failed(held.id, Circuit(failures=FAILURES, open_seconds=600))
    after = state()
    assert (after.opened_at, after.closed_until) == (before.opened_at, before.closed_until)


def test_a_job_of_a_type_without_a_breaker_is_not_held_to_be_the_trial(
    execution: Execution, tenant: Tenant
) -> None:
    run(execution, tenant, *["fail"] * FAILURES)
    let_closing_pass()
    bucket = of_key(tenant.pk, KEY)
    assert list(snapshot.read().key_limits_of(PLAIN, bucket)) == []


def test_a_breaker_that_nobody_tried_for_a_day_lapses(execution: Execution, tenant: Tenant) -> None:
    run(execution, tenant, *["fail"] * FAILURES)
    KeyState.objects.update(closed_until=Now() - timedelta(days=1, seconds=1))
    assert snapshot.read().tripped == frozenset()
    run(execution, tenant, "fail")
    assert (state().failures, state().opened_at, why_held(tenant)) == (1, None, None)


def test_no_more_keys_are_read_than_a_tick_can_bear(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(snapshot, "MOST_KEYS", 3)
    soon = timezone.now() + timedelta(hours=1)
    KeyState.objects.bulk_create(
        KeyState(tenant=tenant, key=str(number), closed_until=soon) for number in range(4)
    )
    assert len(snapshot.read().holds) == 3
    assert "more than 3 keys" in caplog.text


def test_a_worker_waits_for_the_leader_no_longer_than_for_any_lock(tenant: Tenant) -> None:
    job = made(tenant)
    with CaptureQueriesContext(connection) as queries:
        closing.close(job.pk, key=None, seconds=5)
    told = [query["sql"] for query in queries.captured_queries]
    lock = next(at for at, sql in enumerate(told) if "jobs_leadership" in sql)
    assert any("lock_timeout" in sql for sql in told[:lock])


def test_each_key_and_each_tenant_counts_for_itself(tenant: Tenant, other: Tenant) -> None:
    circuit = Circuit(failures=2, open_seconds=60)
    jobs = (made(tenant), made(tenant, site="b"), made(other))
    assert not any(closing.failed(job.pk, circuit) for job in jobs)
    assert closing.failed(jobs[0].pk, circuit)
    assert why_held(tenant) == Held.CIRCUIT
    assert (why_held(tenant, "site:b"), why_held(other)) == (None, None)


def about_keys(execution: Execution, job: Job) -> list[str]:
    """The statements about keys, and those that lock the dispatcher's row, of running a job."""
    sent = making.send(job)
    with CaptureQueriesContext(connection) as queries:
        execution.run(sent)
    assert making.fresh(job).is_final
    told = [query["sql"] for query in queries.captured_queries]
    return [sql for sql in told if "jobs_keystate" in sql or "jobs_leadership" in sql]


def test_a_type_without_a_circuit_breaker_asks_nothing_of_its_key(
    execution: Execution, tenant: Tenant
) -> None:
    assert about_keys(execution, made(tenant, name=PLAIN)) == []


def test_a_success_costs_one_statement_where_nothing_failed(
    execution: Execution, tenant: Tenant
) -> None:
    assert len(about_keys(execution, made(tenant))) == 1
    assert not KeyState.objects.exists()


def test_a_key_that_cannot_learn_changes_no_outcome(
    execution: Execution, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("nothing to be learned today")

    monkeypatch.setattr("jobs.policies.closing.succeeded", fail)
    assert run(execution, tenant, "well").status == Status.COMPLETED
