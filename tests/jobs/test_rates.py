"""What the dispatcher remembers of starts, against real rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Tenant
from jobs import lifecycle
from jobs.dispatcher.rates import Rates
from jobs.message import FencedJob
from jobs.models import Job, RateUse
from jobs.policies.buckets import of_key, of_queue
from jobs.policies.rate import Rate
from jobs.policies.rules import Limit, Snapshot
from tests.jobs import making
from tests.jobs.kinds import ECHO, QUEUE
from tests.jobs.rated import (
    MOST,
    POLICY,
    SECONDS,
    clock,
    completed,
    deleted,
    failed_and_revived,
    forced,
    looked,
    pass_time,
    rescued,
    retried,
    send,
    snoozed,
    spent,
    start,
)


@pytest.fixture
def sent(tenant: Tenant) -> tuple[Rates, FencedJob]:
    """A job that was sent and booked."""
    rates = Rates()
    (sent,) = send(rates, making.queued(tenant))
    return rates, sent


def test_a_message_counts_as_spent_until_its_job_is_claimed(sent: tuple[Rates, FencedJob]) -> None:
    rates, message = sent
    pass_time(10 * SECONDS)
    rates.forget()
    assert spent(rates) == 1

    start(message)

    assert spent(rates) == 1
    pass_time(SECONDS)
    rates.forget()
    assert spent(rates) == 0


def test_a_late_claim_counts_from_the_moment_of_its_start(sent: tuple[Rates, FencedJob]) -> None:
    rates, message = sent
    pass_time(SECONDS - 20)
    start(message)
    pass_time(SECONDS - 20)  # longer ago than a window is the booking, not the start
    rates.forget()

    assert spent(rates) == 1


def test_a_start_counts_for_the_whole_window_and_no_longer(sent: tuple[Rates, FencedJob]) -> None:
    rates, message = sent
    started_at = Job.objects.get(pk=start(message).id).started_at
    assert started_at is not None
    looked(rates)
    window = timedelta(seconds=SECONDS)
    for moment, expected in ((timedelta(microseconds=-1), 1), (timedelta(0), 0)):
        rates.look(POLICY, started_at + window + moment)
        assert rates.starts(of_queue(QUEUE), SECONDS) == expected


def _withdraw(message: FencedJob) -> None:
    assert lifecycle.withdraw([message])


def _cancel(message: FencedJob) -> None:
    lifecycle.cancel(message.id, by="a test")


@pytest.mark.parametrize("undo", [_withdraw, _cancel])
def test_a_message_that_starts_nothing_gives_its_start_back(
    sent: tuple[Rates, FencedJob], undo: Callable[[FencedJob], None]
) -> None:
    rates, message = sent

    undo(message)

    assert spent(rates) == 0
    assert not RateUse.objects.exists()


@pytest.mark.parametrize(
    "end",
    [completed, retried, forced, rescued, snoozed, failed_and_revived, deleted],
)
def test_an_attempt_that_ended_before_anybody_looked_has_had_its_start(
    sent: tuple[Rates, FencedJob], end: Callable[[FencedJob], None]
) -> None:
    rates, message = sent

    end(start(message))

    assert spent(rates) == 1
    assert spent(Rates()) == 1


def test_a_start_whose_row_is_gone_counts_no_earlier_than_it_was(
    sent: tuple[Rates, FencedJob],
) -> None:
    rates, message = sent
    pass_time(SECONDS - 20)
    deleted(start(message))
    looked(rates)
    pass_time(SECONDS - 20)
    rates.forget()

    assert spent(rates) == 1


def test_each_attempt_of_a_job_is_a_start(tenant: Tenant) -> None:
    rates, job = Rates(), making.queued(tenant)
    for number in (1, 2, 3):
        (message,) = send(rates, job)
        forced(start(message))
        Job.objects.update(lease_expires_at=None)
        assert spent(rates) == number


def test_a_job_that_was_started_before_gives_back_only_what_it_did_not_start(
    tenant: Tenant,
) -> None:
    rates, job = Rates(), making.queued(tenant)
    (first,) = send(rates, job)
    lifecycle.snooze(start(first), delay_seconds=0)
    lifecycle.promote_now(job.pk)
    (second,) = send(rates, job)
    assert spent(rates) == 2

    _withdraw(second)

    assert spent(rates) == 1


def test_only_what_is_limited_by_a_rate_is_noted(tenant: Tenant) -> None:
    policy = Snapshot(
        limits={of_queue("mail"): Limit(rate=Rate(1, 1)), of_queue(QUEUE): Limit(concurrency=9)},
        key_limits={ECHO: Limit(rate=Rate(1, SECONDS))},
    )
    with_key = making.queued(tenant)
    Job.objects.filter(pk=with_key.pk).update(limit_key="k")
    rates = Rates()

    send(rates, making.fresh(with_key), making.queued(tenant), policy=policy)

    assert [use.bucket for use in RateUse.objects.all()] == [of_key(tenant.pk, "k")]
    assert looked(rates, policy).keys == {(tenant.pk, "k")}


def _many_starts(bucket: str, number: int, *, apart: float = 0.001) -> None:
    now = clock()
    RateUse.objects.bulk_create(
        RateUse(bucket=bucket, job_id=uuid4(), fence=1, booked_at=moment, started_at=moment)
        for moment in (now - timedelta(seconds=apart * step) for step in range(number))
    )


def test_a_leader_that_takes_over_reads_no_more_starts_than_can_count(tenant: Tenant) -> None:
    key = of_key(tenant.pk, "k")
    _many_starts(of_queue(QUEUE), 500)
    _many_starts(key, 500)
    policy = Snapshot(limits=POLICY.limits, key_limits={ECHO: Limit(rate=Rate(2, SECONDS))})
    rates = Rates()
    with CaptureQueriesContext(connection) as queries:
        looked(rates, policy)

    assert len(queries) <= 3  # with the clock's
    assert rates.starts(of_queue(QUEUE), SECONDS) == MOST
    assert rates.starts(key, SECONDS) == 2
    assert rates.starts(of_key(tenant.pk, "other"), SECONDS) == 0


def test_a_key_is_full_from_its_last_start_until_the_time_of_the_rate_is_over(
    tenant: Tenant,
) -> None:
    policy = Snapshot(key_limits={ECHO: Limit(rate=Rate(2, SECONDS))})
    _many_starts(of_key(tenant.pk, "full"), 2)
    _many_starts(of_key(tenant.pk, "free"), 1)
    rates, now = Rates(), clock()
    rates.look(policy, now)
    for name in ("full", "free"):
        rates.starts(of_key(tenant.pk, name), SECONDS)

    assert rates.full_keys(policy) == {(tenant.pk, "full")}
    rates.look(policy, now + timedelta(seconds=SECONDS))
    assert rates.full_keys(policy) == frozenset()


def test_what_became_too_old_is_forgotten_a_few_keys_at_a_time(tenant: Tenant) -> None:
    policy = Snapshot(key_limits={ECHO: Limit(rate=Rate(2, SECONDS))})
    rates, now = looked(Rates(), policy), clock()
    for number in range(50):
        bucket = of_key(tenant.pk, str(number))
        _many_starts(bucket, 1)
        assert rates.starts(bucket, SECONDS) == 1
    for _ in range(20):
        rates.look(policy, now + timedelta(seconds=2 * SECONDS))

    assert len(rates._started) == 0


def test_a_rate_that_allows_more_counts_what_was_not_kept(tenant: Tenant) -> None:
    _many_starts(of_queue(QUEUE), 9)
    rates = Rates()
    assert spent(rates) == MOST

    more = Snapshot(limits={of_queue(QUEUE): Limit(rate=Rate(100, SECONDS))})

    assert looked(rates, more).starts(of_queue(QUEUE), SECONDS) == 9


def test_a_rate_that_becomes_longer_counts_what_was_started_before(tenant: Tenant) -> None:
    short = Snapshot(limits={of_queue(QUEUE): Limit(rate=Rate(9, 1))})
    rates = Rates()
    for message in send(rates, making.queued(tenant), making.queued(tenant), policy=short):
        start(message)
    rates.look(short, clock() + timedelta(seconds=30))

    rates.look(POLICY, clock() + timedelta(seconds=31))

    assert rates.starts(of_queue(QUEUE), SECONDS) == 2


def test_what_was_booked_in_a_transaction_that_failed_is_not_counted(tenant: Tenant) -> None:
    rates, job = Rates(), making.queued(tenant)
    with transaction.atomic():
        send(rates, job)
        transaction.set_rollback(True)
    rates.forget()  # as the loop does after any failure

    assert spent(rates) == 0
