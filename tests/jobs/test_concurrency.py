"""Races on the real database: real commits, threads that begin at the same moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import pytest
from django.db import OperationalError, connection, transaction

from accounts.models import Tenant
from jobs import lifecycle
from jobs.dispatcher import leader as leading
from jobs.dispatcher import upkeep
from jobs.dispatcher.leader import Leader
from jobs.enqueue import JobOptions, enqueue
from jobs.exceptions import AttemptLost, TransitionRefused
from jobs.lifecycle import Move
from jobs.message import FencedJob
from jobs.models import Attempt, Job
from jobs.states import Status
from tests.jobs import making
from tests.jobs.kinds import ECHO
from tests.jobs.making import ERROR, fresh
from tests.jobs.racing import meanwhile, together

pytestmark = pytest.mark.django_db(transaction=True)

Announced = list[tuple[str, list[Move]]]
SOON = 2.0  # seconds: far less than anybody would wait for a lock


def lock(job: Job) -> Callable[[], object]:
    return lambda: Job.objects.select_for_update().get(pk=job.pk)


def won(verb: Callable[[], object]) -> Callable[[], bool]:
    def tried() -> bool:
        try:
            return bool(verb())
        except (AttemptLost, TransitionRefused):
            return False

    return tried


def test_of_twenty_claims_of_one_message_one_wins(tenant: Tenant) -> None:
    sent = making.send(making.queued(tenant))

    claims = together(*[partial(making.take, sent)] * 20)

    assert sum(claim is not None for claim in claims) == 1
    assert Job.objects.get(pk=sent.id).attempt == 1


def test_of_all_endings_at_the_same_moment_one_wins(tenant: Tenant) -> None:
    for _ in range(5):
        job = making.queued(tenant)
        held = making.start(job)
        endings: list[Callable[[], object]] = [
            partial(lifecycle.complete, held, result=1),
            partial(lifecycle.fail, held, error=ERROR),
            partial(lifecycle.retry_later, held, delay_seconds=1, error=ERROR),
            partial(lifecycle.release, held, error=ERROR),
            partial(lifecycle.lose, held, crash_limit=5, error=ERROR),
        ]

        assert sum(together(*map(won, endings))) == 1

        after = fresh(job)
        assert after.fence == held.fence + 1
        assert Attempt.objects.filter(job=job).count() == (after.status != Status.COMPLETED)


def test_a_cancel_and_an_ending_at_the_same_moment_keep_the_promise_of_whoever_was_told(
    tenant: Tenant,
) -> None:
    for _ in range(10):
        job = making.queued(tenant)
        held = making.start(job)

        completed, cancelled = together(
            won(partial(lifecycle.complete, held, result=1)),
            won(partial(lifecycle.cancel, job.pk, by="user:eve")),
        )

        after = fresh(job)
        assert completed
        assert after.status == (Status.CANCELLED if cancelled else Status.COMPLETED)
        assert (after.result is None) == cancelled


def test_a_cancel_and_a_claim_at_the_same_moment_leave_no_running_job_untold(
    tenant: Tenant,
) -> None:
    for _ in range(10):
        sent = making.send(making.queued(tenant))

        claim, cancelled = together(
            won(partial(making.take, sent)),
            won(partial(lifecycle.cancel, sent.id, by="user:eve")),
        )

        after = Job.objects.get(pk=sent.id)
        assert cancelled
        assert after.cancel_requested_at is not None
        assert after.status == (Status.PROCESSING if claim else Status.CANCELLED)


@pytest.mark.parametrize("number", [2, 5])
def test_dependencies_that_end_at_the_same_moment_open_their_dependant_once(
    number: int, tenant: Tenant, announced: Announced
) -> None:
    for _ in range(5):
        first = [making.queued(tenant) for _ in range(number)]
        job = making.blocked(tenant, *first)
        rights = [making.start(each) for each in first]
        announced.clear()

        together(*[partial(lifecycle.complete, held, result=1) for held in rights])

        after = fresh(job)
        assert (after.status, after.fence) == (Status.QUEUED, 1)
        settled = [move for name, moves in announced if name == "settle" for move in moves]
        assert [move.id for move in settled] == [job.pk]


def test_a_dependency_that_ends_while_its_dependant_is_inserted_is_found_by_the_sweep(
    tenant: Tenant,
) -> None:
    first = making.queued(tenant)
    held = making.start(first)
    made: list[Job] = []

    with meanwhile(lambda: made.append(making.blocked(tenant, first))):
        lifecycle.complete(held, result=1)

    (job,) = made
    assert fresh(job).status == Status.BLOCKED
    assert upkeep.Settle().run() == 1
    assert fresh(job).status == Status.QUEUED
    assert upkeep.Settle().run() == 0


def test_enqueues_with_one_unique_key_at_the_same_moment_make_one_job(tenant: Tenant) -> None:
    asked = JobOptions(unique_key="r/python")

    made = together(*[partial(enqueue, tenant, ECHO, {}, asked)] * 12)

    assert sum(each.created for each in made) == 1
    assert len({each.job.pk for each in made}) == 1
    assert Job.objects.count() == 1


def test_a_revival_and_an_enqueue_with_its_key_at_the_same_moment_leave_one_active_job(
    tenant: Tenant,
) -> None:
    for number in range(8):
        key = f"key {number}"
        job = making.queued(tenant, unique_key=key)
        lifecycle.fail(making.start(job), error=ERROR)

        together(
            won(partial(lifecycle.revive, job.pk)),
            won(partial(enqueue, tenant, ECHO, {}, JobOptions(unique_key=key))),
        )

        assert Job.objects.active().filter(unique_key=key).count() == 1


def test_a_renewal_skips_a_locked_row_and_renews_the_others(tenant: Tenant) -> None:
    jobs = [making.queued(tenant) for _ in range(4)]
    held = [making.start(job) for job in jobs]
    before = {job.pk: fresh(job).lease_expires_at for job in jobs}

    with meanwhile(lock(jobs[1])):
        began = time.monotonic()
        renewal = lifecycle.renew(held, lease_seconds=60)
        took = time.monotonic() - began

    assert took < SOON
    assert renewal.skipped == {held[1]}
    assert renewal.renewed == set(held) - {held[1]}
    assert renewal.lost == frozenset()
    assert {job.pk for job in jobs if fresh(job).lease_expires_at == before[job.pk]} == {jobs[1].pk}


def test_an_ending_waits_for_a_locked_row_a_short_time_and_may_be_repeated(tenant: Tenant) -> None:
    job = making.queued(tenant)
    held = making.start(job)

    with meanwhile(lock(job)):
        began = time.monotonic()
        with pytest.raises(OperationalError, match="lock timeout"):
            lifecycle.lose(held, crash_limit=5, error=ERROR)
        assert time.monotonic() - began < 2 * SOON

    assert lifecycle.lose(held, crash_limit=5, error=ERROR).status == Status.QUEUED


def test_a_rescue_waits_for_no_locked_row(tenant: Tenant) -> None:
    jobs = [making.queued(tenant) for _ in range(3)]
    for job in jobs:
        making.start(job)
        making.let_pass(job, "lease_expires_at")

    with meanwhile(lock(jobs[0])):
        began = time.monotonic()
        rescued = lifecycle.rescue(limit=10, crash_limit=5, error=ERROR)
        assert time.monotonic() - began < SOON

    assert {move.id for move in rescued} == {jobs[1].pk, jobs[2].pk}
    assert len(lifecycle.rescue(limit=10, crash_limit=5, error=ERROR)) == 1


def test_two_rescues_at_the_same_moment_take_each_job_once(tenant: Tenant) -> None:
    for _ in range(20):
        job = making.queued(tenant)
        making.start(job)
        making.let_pass(job, "lease_expires_at")

    rescue = partial(lifecycle.rescue, limit=100, crash_limit=5, error=ERROR)
    rescued = [move.id for moves in together(rescue, rescue) for move in moves]

    assert len(rescued) == len(set(rescued)) == 20
    assert Attempt.objects.count() == 20


def test_dispatches_in_opposite_orders_neither_wait_in_a_circle_nor_send_twice(
    tenant: Tenant,
) -> None:
    for _ in range(5):
        ids = [making.queued(tenant).pk for _ in range(60)]

        sent = together(
            partial(lifecycle.dispatch, ids), partial(lifecycle.dispatch, list(reversed(ids)))
        )

        marked = [job.id for jobs in sent for job in jobs]
        assert len(marked) == len(set(marked))


def test_multi_row_writers_in_opposite_orders_do_not_deadlock(tenant: Tenant) -> None:
    jobs = [making.queued(tenant) for _ in range(40)]
    held = [making.start(job) for job in jobs]
    for job in jobs[::2]:
        making.let_pass(job, "lease_expires_at")

    def renew(rights: list[FencedJob]) -> int:
        return sum(len(lifecycle.renew(rights, lease_seconds=30).renewed) for _ in range(10))

    def rescue() -> int:
        rescued = [lifecycle.rescue(limit=7, crash_limit=5, error=ERROR) for _ in range(10)]
        return sum(map(len, rescued))

    together(partial(renew, held), partial(renew, held[::-1]), rescue, rescue)


def test_jobs_that_end_together_and_share_dependants_do_not_deadlock(tenant: Tenant) -> None:
    first = [making.queued(tenant) for _ in range(4)]
    behind = [making.blocked(tenant, *order) for order in (first, first[::-1]) for _ in range(5)]
    rights = [making.start(job) for job in first]

    together(*[partial(lifecycle.complete, held, result=1) for held in rights])

    assert {fresh(job).status for job in behind} == {Status.QUEUED}


def test_a_dispatch_leaves_out_what_somebody_holds(tenant: Tenant) -> None:
    free, locked = making.queued(tenant), making.queued(tenant)

    with meanwhile(lock(locked)):
        began = time.monotonic()
        marked = lifecycle.dispatch([free.pk, locked.pk])
        assert time.monotonic() - began < SOON

    assert [job.id for job in marked] == [free.pk]


def leader(name: str) -> Leader:
    return Leader(duty="test", holder=name, lease_seconds=30.0)


def test_of_many_candidates_one_becomes_leader(tenant: Tenant) -> None:
    candidates = [leader(str(number)) for number in range(8)]

    took = together(*[candidate.take for candidate in candidates])

    assert sum(took) == 1
    assert [candidate.term is not None for candidate in candidates] == took


def test_nobody_takes_over_while_the_leader_acts_although_its_term_runs_out(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, successor = leader("old"), leader("new")
    assert old.take()

    with transaction.atomic():
        assert old.hold()
        # To the successor the term is over by now; the transaction is not.
        later = leading._TAKE.replace("clock_timestamp()", "clock_timestamp() + interval '1 min'")
        monkeypatch.setattr(leading, "_TAKE", later)

        def try_to_take() -> bool:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '300ms'")
                return successor.take()

        with pytest.raises(OperationalError, match="lock timeout"):
            together(try_to_take)

    assert successor.take()
    with transaction.atomic():
        assert not old.hold()
