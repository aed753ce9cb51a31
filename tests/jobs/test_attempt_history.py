"""What remains of an attempt, and who may still write for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone

from accounts.ids import new_id
from accounts.models import Tenant
from jobs import lifecycle
from jobs.exceptions import AttemptLost
from jobs.message import FencedJob
from jobs.models import Attempt, Job
from jobs.states import Status
from tests.jobs import making
from tests.jobs.making import ERROR, fresh, in_situation, row
from tests.jobs.verbs import CRASH_LIMIT, VERBS

OUTCOMES = {
    "fail": ("failed", ERROR),
    "retry_later": ("retried", ERROR),
    "snooze": ("snoozed", None),
    "release": ("released", ERROR),
    "lose": ("lost", ERROR),
    "rescue": ("lost", ERROR),
    "confirm_cancel": ("cancelled", None),
    "force_queue": ("lost", ERROR),
    "force_fail": ("lost", ERROR),
}
WAYS_OUT = sorted({*OUTCOMES, "complete"})


@pytest.mark.parametrize("name", OUTCOMES)
def test_an_attempt_that_did_not_complete_leaves_one_line(name: str, tenant: Tenant) -> None:
    job = in_situation(tenant, "processing")
    Job.objects.filter(pk=job.pk).update(attempt=7, run=3)
    VERBS[name].prepare(job)

    VERBS[name].act(job)

    after = fresh(job)
    outcome, error = OUTCOMES[name]
    (line,) = Attempt.objects.filter(job=job)
    assert (line.outcome, line.error) == (outcome, error)
    assert (line.fence, line.number, line.run) == (job.fence, 7, 3)
    assert (line.worker, line.started_at) == (making.WORKER, job.started_at)
    assert line.ended_at == after.updated_at
    assert line.started_at < line.ended_at <= timezone.now()


def test_a_job_that_completes_leaves_no_line(tenant: Tenant) -> None:
    job = making.complete(making.queued(tenant), {"pages": 3})

    assert not Attempt.objects.filter(job=job).exists()
    assert (job.result, job.progress, job.attempt) == ({"pages": 3}, 100, 1)
    assert job.actual_duration_seconds is not None
    assert 0 < job.actual_duration_seconds < 60
    assert job.lease_expires_at is None


@pytest.mark.parametrize("name", WAYS_OUT)
def test_after_a_cancel_every_way_out_ends_cancelled_and_keeps_no_result(
    name: str, tenant: Tenant
) -> None:
    job = in_situation(tenant, "asked to cancel")
    VERBS[name].prepare(job)

    VERBS[name].act(job)

    after = fresh(job)
    assert after.status == Status.CANCELLED
    assert (after.result, after.completed_at, after.visible_at) == (None, None, None)
    assert (after.progress, after.retry_count) == (0, 0)
    assert after.cancelled_at is not None
    assert after.cancelled_by == "user:eve"
    (line,) = Attempt.objects.filter(job=job)
    assert (line.fence, line.outcome) == (job.fence, "cancelled")


FENCED = {
    "progress", "complete", "fail", "retry_later", "snooze", "release", "lose", "confirm_cancel",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(FENCED))
def test_an_attempt_that_lost_its_fence_writes_nothing(name: str, tenant: Tenant) -> None:
    job = in_situation(tenant, "processing")
    old = making.held(job)
    lifecycle.release(old, error=ERROR)
    making.start(job)
    before = row(job)

    with pytest.raises(AttemptLost):
        WITH_FENCE[name](old)

    assert row(job) == before
    assert Attempt.objects.filter(job=job).count() == 1


WITH_FENCE: dict[str, Callable[[FencedJob], object]] = {
    "progress": lambda held: lifecycle.progress(held, percent=1, message=""),
    "complete": lambda held: lifecycle.complete(held, result="stale"),
    "fail": lambda held: lifecycle.fail(held, error=ERROR),
    "retry_later": lambda held: lifecycle.retry_later(held, delay_seconds=1, error=ERROR),
    "snooze": lambda held: lifecycle.snooze(held, delay_seconds=1),
    "release": lambda held: lifecycle.release(held, error=ERROR),
    "lose": lambda held: lifecycle.lose(held, crash_limit=CRASH_LIMIT, error=ERROR),
    "confirm_cancel": lambda held: lifecycle.confirm_cancel(held, by="job"),
}


def test_an_attempt_has_one_outcome(tenant: Tenant) -> None:
    job = making.queued(tenant)
    held = making.start(job)
    lifecycle.complete(held, result=1)

    for end in WITH_FENCE.values():
        with pytest.raises(AttemptLost) as refused:
            end(held)
        assert refused.value.data == {"job_id": job.pk, "fence": held.fence}

    assert fresh(job).result == 1


def test_a_message_starts_one_attempt_only(tenant: Tenant) -> None:
    sent = making.send(making.queued(tenant))

    assert making.take(sent) is not None
    assert making.take(sent) is None


@pytest.mark.parametrize("fence_error", [-1, 1])
def test_a_message_with_another_fence_claims_nothing(fence_error: int, tenant: Tenant) -> None:
    sent = making.send(making.queued(tenant))

    assert making.take(FencedJob(sent.id, sent.fence + fence_error)) is None


def test_a_job_that_was_never_sent_cannot_be_claimed(tenant: Tenant) -> None:
    job = making.queued(tenant)

    assert making.take(FencedJob(job.pk, job.fence)) is None


def test_a_withdrawn_message_claims_nothing(tenant: Tenant) -> None:
    job = making.queued(tenant)
    sent = making.send(job)
    lifecycle.withdraw([sent])

    assert making.take(sent) is None
    assert making.take(making.send(job)) is not None


@pytest.mark.parametrize("force", ["force_queue", "force_fail"])
def test_a_job_taken_by_force_starts_again_only_after_the_old_lease(
    force: str, tenant: Tenant
) -> None:
    job = in_situation(tenant, "processing")
    VERBS[force].act(job)
    if force == "force_fail":
        lifecycle.revive(job.pk)
    sent = making.send(job)

    assert making.take(sent) is None
    making.let_pass(job, "lease_expires_at")
    assert making.take(sent) is not None


def test_a_job_whose_time_to_start_is_over_is_not_claimed(tenant: Tenant) -> None:
    job = making.queued(tenant)
    sent = making.send(job)
    making.let_pass(job, "expires_at")

    assert making.take(sent) is None


def test_a_claim_reads_what_the_attempt_needs(tenant: Tenant) -> None:
    job = making.queued(
        tenant, payload={"page": [1, None]}, labels={"course": "7"}, owner="ann", max_retries=9
    )

    claimed = making.take(making.send(job))

    assert claimed is not None
    after = fresh(job)
    assert (claimed.tenant, claimed.owner) == ("acme", "ann")
    assert (claimed.payload, claimed.labels) == ({"page": [1, None]}, {"course": "7"})
    assert (claimed.attempt, claimed.run, claimed.max_retries) == (1, 1, 9)
    assert (claimed.fence, claimed.started_at) == (after.fence, after.started_at)
    assert after.lease_expires_at is not None
    assert after.started_at is not None
    lease = (after.lease_expires_at - after.started_at).total_seconds()
    assert lease == pytest.approx(making.LEASE_SECONDS, abs=0.1)


def test_g4_a_claim_whose_answer_was_lost_is_found_by_the_claimer_alone(tenant: Tenant) -> None:
    """Not by another child of the same worker, which may hold a copy of the message."""
    sent, mine, another = making.send(making.queued(tenant)), new_id(), new_id()
    claimed = lifecycle.claim(
        sent, worker="w", incarnation=making.INCARNATION, lease_seconds=30, claim_id=mine
    )

    assert claimed is not None
    assert lifecycle.claimed_before(sent, claim_id=mine) == claimed
    assert lifecycle.claimed_before(sent, claim_id=another) is None


def test_a_renewal_tells_what_was_renewed_and_what_is_lost(tenant: Tenant) -> None:
    mine, lost = making.queued(tenant), making.queued(tenant)
    kept, gone = making.start(mine), making.start(lost)
    making.let_pass(mine, "lease_expires_at")
    lifecycle.release(gone, error=ERROR)
    making.start(lost)
    before = row(lost)

    renewal = lifecycle.renew([kept, gone, making.stranger()], lease_seconds=60)

    assert renewal.renewed == {kept}
    assert renewal.skipped == frozenset()
    assert gone in renewal.lost
    assert row(lost) == before
    lease = fresh(mine).lease_expires_at
    assert lease is not None
    assert (lease - timezone.now()).total_seconds() == pytest.approx(60, abs=5)


def test_progress_tells_of_a_cancel(tenant: Tenant) -> None:
    held = making.start(making.queued(tenant))
    assert lifecycle.progress(held, percent=10, message="") is False

    lifecycle.cancel(held.id, by="user:eve")

    assert lifecycle.progress(held, percent=20, message="") is True


def test_a_claim_clears_what_the_attempt_before_it_said(tenant: Tenant) -> None:
    job = making.queued(tenant)
    held = making.start(job)
    lifecycle.progress(held, percent=80, message="almost")
    lifecycle.lose(held, crash_limit=CRASH_LIMIT, error=ERROR)

    making.start(job)

    after = fresh(job)
    assert (after.progress, after.progress_message, after.error) == (0, "", None)


def test_a_retry_waits_and_spends_one(tenant: Tenant) -> None:
    job = making.queued(tenant)
    lifecycle.retry_later(making.start(job), delay_seconds=90, error=ERROR)

    after = fresh(job)
    assert (after.retry_count, after.error) == (1, ERROR)
    assert after.visible_at is not None
    assert (after.visible_at - after.updated_at).total_seconds() == pytest.approx(90, abs=0.1)


@pytest.mark.parametrize("name", ["snooze", "release"])
def test_an_attempt_that_is_given_back_spends_nothing(name: str, tenant: Tenant) -> None:
    job = in_situation(tenant, "processing")

    VERBS[name].act(job)

    after = fresh(job)
    assert (after.retry_count, after.crash_count, after.attempt) == (0, 0, 1)


def test_the_fence_is_never_given_back(tenant: Tenant) -> None:
    job = making.queued(tenant)
    seen = [job.fence]
    for end in ("release", "lose", "fail"):
        making.start(job)
        seen.append(fresh(job).fence)
        VERBS[end].act(job)
        seen.append(fresh(job).fence)
    lifecycle.revive(job.pk)
    seen.append(fresh(job).fence)

    assert seen == [0, 1, 2, 3, 4, 5, 6, 7]


def test_jobs_that_are_sent_together_are_sent_at_one_moment(tenant: Tenant) -> None:
    jobs = [making.queued(tenant) for _ in range(5)]

    marked = lifecycle.dispatch([job.pk for job in reversed(jobs)])

    assert len({job.dispatched_at for job in marked}) == 1
    later = lifecycle.dispatch([making.queued(tenant).pk])
    assert later[0].dispatched_at > marked[0].dispatched_at
