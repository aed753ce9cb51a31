"""What a person may do to a job: cancel, boost, run again, force, discard."""

from __future__ import annotations

import pytest

from accounts.models import Tenant
from jobs import lifecycle
from jobs.exceptions import TransitionRefused, UniqueKeyTaken
from jobs.models import Job
from jobs.states import Status
from tests.jobs import making
from tests.jobs.making import ERROR, fresh, in_situation, row


def test_a_second_cancel_of_a_running_job_is_accepted_and_keeps_the_first(tenant: Tenant) -> None:
    job = in_situation(tenant, "asked to cancel")
    asked_at = job.cancel_requested_at

    moved = lifecycle.cancel(job.pk, by="user:bob")

    assert moved.status == Status.PROCESSING
    after = fresh(job)
    assert (after.cancel_requested_at, after.cancelled_by) == (asked_at, "user:eve")


def test_a_cancelled_job_cannot_be_claimed_by_the_message_on_its_way(tenant: Tenant) -> None:
    sent = making.send(making.queued(tenant))

    lifecycle.cancel(sent.id, by="user:eve")

    assert making.take(sent) is None
    assert making.take(sent._replace(fence=sent.fence + 1)) is None


@pytest.mark.parametrize(
    ("priority", "by", "highest", "expected"),
    [(50, 10, 100, 60), (50, 60, 89, 89), (50, 0, 100, 50), (95, 10, 89, 95), (95, 50, 100, 100)],
)
def test_a_boost_raises_up_to_the_cap_and_never_lowers(
    priority: int, by: int, highest: int, expected: int, tenant: Tenant
) -> None:
    job = making.queued(tenant, priority=priority)

    lifecycle.boost(job.pk, by=by, highest=highest)

    after = fresh(job)
    assert (after.priority, after.base_priority) == (expected, priority)


@pytest.mark.parametrize(
    ("priority", "by", "recalled"),
    [(50, 10, False), (69, 1, True), (29, 1, True), (29, 0, False), (89, 1, True), (10, 90, True)],
)
def test_a_boost_into_another_level_takes_the_message_back(
    priority: int, by: int, recalled: bool, tenant: Tenant
) -> None:
    job = making.queued(tenant, priority=priority)
    sent = making.send(job)

    lifecycle.boost(job.pk, by=by, highest=100)

    after = fresh(job)
    assert (after.dispatched_at is None) == recalled
    assert (making.take(sent) is None) == recalled


def test_a_retry_by_hand_is_a_new_run_with_clear_counters(tenant: Tenant) -> None:
    job = making.queued(tenant)
    lifecycle.retry_later(making.start(job), delay_seconds=0, error=ERROR)
    lifecycle.promote(10)
    lifecycle.lose(making.start(job), crash_limit=1, error=ERROR)
    lifecycle.discard(job.pk)
    before = fresh(job)

    lifecycle.revive(job.pk)

    after = fresh(job)
    assert (after.run, after.attempt, after.fence) == (2, before.attempt, before.fence + 1)
    assert (after.retry_count, after.crash_count) == (0, 0)
    assert (after.error, after.completed_at, after.discarded_at) == (None, None, None)
    assert after.payload == before.payload


def test_a_retry_by_hand_may_replace_the_payload(tenant: Tenant) -> None:
    job = in_situation(tenant, "failed")

    lifecycle.revive(job.pk, payload={"page": 2})

    assert fresh(job).payload == {"page": 2}


def test_a_cancelled_job_that_is_retried_no_longer_counts_as_cancelled(tenant: Tenant) -> None:
    job = in_situation(tenant, "cancelled")

    lifecycle.revive(job.pk)
    making.complete(job)

    after = fresh(job)
    assert (after.status, after.result, after.cancelled_by) == (Status.COMPLETED, "done", "")


def test_a_retry_by_hand_is_refused_while_the_unique_key_is_taken(tenant: Tenant) -> None:
    job = making.queued(tenant, unique_key="r/python")
    lifecycle.fail(making.start(job), error=ERROR)
    making.queued(tenant, unique_key="r/python")
    before = row(job)

    with pytest.raises(UniqueKeyTaken):
        lifecycle.revive(job.pk)

    assert row(job) == before
    assert issubclass(UniqueKeyTaken, TransitionRefused)


def test_a_forced_job_is_taken_from_its_worker_at_once(tenant: Tenant) -> None:
    job = in_situation(tenant, "processing")
    held = making.held(job)

    lifecycle.force_queue(job.pk, error=ERROR)

    assert lifecycle.renew([held], lease_seconds=30).lost == {held}
    after = fresh(job)
    assert (after.status, after.retry_count, after.crash_count) == (Status.QUEUED, 0, 0)


def test_a_waiting_job_that_is_forced_leaves_no_attempt(tenant: Tenant) -> None:
    for situation in ("blocked", "scheduled", "ready", "dispatched"):
        job = in_situation(tenant, situation)
        lifecycle.force_queue(job.pk, error=ERROR)
        assert fresh(job).status == Status.QUEUED
        assert not job.attempts.exists()


def test_a_discarded_dead_letter_is_hidden_and_a_second_discard_keeps_its_moment(
    tenant: Tenant,
) -> None:
    job = in_situation(tenant, "failed")
    assert job in Job.objects.dead()

    lifecycle.discard(job.pk)
    first = fresh(job).discarded_at
    lifecycle.discard(job.pk)

    assert fresh(job).discarded_at == first is not None
    assert job not in Job.objects.dead()


def test_an_expired_job_says_who_ended_it(tenant: Tenant) -> None:
    job = in_situation(tenant, "ready")
    making.let_pass(job, "expires_at")

    lifecycle.expire(10)

    after = fresh(job)
    assert (after.status, after.cancelled_by) == (Status.CANCELLED, "expiry")
