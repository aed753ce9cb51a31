"""Limits, rates and turns over real workers, whatever happens to them and to the dispatchers.

`LIMIT_JOBS=10000` and `LIMIT_RATE=100/m` make the two long ones as long as you like.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from django.db.models.functions import Now

from accounts.models import Tenant
from jobs.enqueue import Enqueued, JobOptions, JobRequest, enqueue_many
from jobs.models import Attempt, Job, Queue
from jobs.policies import rate
from jobs.policies.changes import changing
from jobs.states import Status
from tests.chaos.spans import (
    Span,
    by_the_rows,
    by_their_traces,
    cut_off,
    most_at_once,
    most_in_a_window,
)
from tests.support.arena import LEASE_SECONDS, Arena, leader_pid
from tests.support.ledger import Ledger
from tests.support.waiting import wait_for
from tests.testapp.tasks import LIMIT

NUMBER = int(os.environ.get("LIMIT_JOBS", "600"))
RATE = rate.parse(os.environ.get("LIMIT_RATE", "20/5s"))
WORKERS = ("w1", "w2", "w3", "w4")
QUEUE = "default"
LONGER: dict[str, Any] = {"LEASE_SECONDS": "30"}  # where no lease may run out on a busy machine
PATIENCE = 120 + NUMBER / 5  # seconds, for a machine that does other things as well

pytestmark = pytest.mark.timeout(PATIENCE + 120)


def hand_in(arena: Arena, number: int, type_name: str, **payload: Any) -> list[Job]:
    return hand_in_as(arena.tenant, number, type_name, **payload)


def hand_in_as(tenant: Tenant, number: int, type_name: str, **payload: Any) -> list[Job]:
    one = JobRequest(type_name=type_name, payload=payload, options=JobOptions(priority=50))
    done = enqueue_many(tenant, [one] * number)
    return [each.job for each in done if isinstance(each, Enqueued)]


def wait_until_done(seconds: float = PATIENCE) -> None:
    wait_for(lambda: not Job.objects.active().exists(), seconds=seconds, what="all end", every=0.2)


def of(jobs: list[Job]) -> list[Job]:
    """As they are now."""
    return list(Job.objects.filter(pk__in=[job.pk for job in jobs]))


def assert_within_the_limit(spans: list[Span], most: int = LIMIT) -> None:
    """Of each key, and that the limit was what held them back."""
    keys = {span.key for span in spans}
    reached = {key: most_at_once(span for span in spans if span.key == key) for key in keys}
    assert max(reached.values()) <= most, reached
    assert min(reached.values()) > most // 2, f"they were never near their limit: {reached}"


@contextmanager
def limited_queue(**limits: Any) -> Iterator[None]:
    """Inside, the queue has these limits."""
    with changing():
        Queue.objects.filter(pk=QUEUE).update(**limits)
    try:
        yield
    finally:
        with changing():
            Queue.objects.filter(pk=QUEUE).update(max_concurrency=None, rate_limit="")


def test_of_a_key_never_more_run_than_its_limit_over_four_workers(arena: Arena) -> None:
    arena.dispatcher(**LONGER)
    arena.workers(*WORKERS, **LONGER)
    jobs = []
    for key in ("one", "two"):
        jobs += hand_in(arena, NUMBER // 2, "testing.limited", key=key, seconds=0.01)

    wait_until_done()

    done = of(jobs)
    assert_within_the_limit(by_the_rows(done))
    assert_within_the_limit(by_their_traces(arena.trace))
    Ledger(accepted=[job.pk for job in jobs], trace=arena.trace, faults=0).check()


def test_g4_nor_when_the_leader_is_frozen_and_thawed_again_and_again(arena: Arena) -> None:
    dispatchers = [arena.dispatcher(f"dispatcher-{n}", **LONGER) for n in (1, 2)]
    arena.workers(*WORKERS, **LONGER)
    jobs = hand_in(arena, NUMBER // 3, "testing.limited", key="one", seconds=0.3)
    leaders = set()
    for _ in range(3):
        wait_for(leader_pid, seconds=60, what="one leads")
        (old,) = (one for one in dispatchers if one.pid == leader_pid())
        leaders.add(old.pid)
        wait_for(lambda: arena.running() >= LIMIT - 1, seconds=60, what="they run")
        old.send(signal.SIGSTOP)
        wait_for(partial(_another_leads, old.pid), seconds=60, what="the other leads")
        left = Job.objects.active().count()
        old.send(signal.SIGCONT)
        wait_for(partial(_fewer_than, left - 2 * LIMIT), seconds=60, what="it goes on")

    wait_until_done()

    assert len(leaders) == 2
    assert_within_the_limit(by_the_rows(of(jobs)))
    assert_within_the_limit(by_their_traces(arena.trace))
    Ledger(accepted=[job.pk for job in jobs], trace=arena.trace, faults=0).check()


def _another_leads(pid: int) -> bool:
    return leader_pid() not in (None, pid)


def _fewer_than(number: int) -> bool:
    return Job.objects.active().count() <= max(0, number)


def test_g4_nor_when_workers_are_frozen_between_receiving_and_claiming(arena: Arena) -> None:
    """Two of four hold messages that nobody claims, until others have long been sent instead."""
    arena.dispatcher(**LONGER)
    workers = arena.workers(*WORKERS, **LONGER)
    frozen = [pid for worker in workers[:2] for pid in worker.children()]
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    jobs = hand_in(arena, NUMBER // 3, "testing.limited", key="one", seconds=0.3)
    old = Job.objects.in_flight().filter(dispatched_at__lt=Now() - timedelta(seconds=2))
    held = wait_for(
        lambda: dict(old.values_list("pk", "fence")), seconds=60, what="they hold messages"
    )
    wait_for(
        lambda: all(job.fence > held[job.pk] for job in Job.objects.filter(pk__in=held)),
        seconds=60, what="what they hold is sent again",
    )  # fmt: skip
    for pid in frozen:
        os.kill(pid, signal.SIGCONT)

    wait_until_done()

    assert_within_the_limit(by_the_rows(of(jobs)))
    assert_within_the_limit(by_their_traces(arena.trace))
    Ledger(accepted=[job.pk for job in jobs], trace=arena.trace, faults=0).check()


@pytest.mark.parametrize("whole", [False, True], ids=["only its main process", "all of it"])
def test_g5_nor_when_a_worker_is_frozen_for_longer_than_its_lease(
    arena: Arena, whole: bool
) -> None:
    """Without its main process, job code ends before the lease does, and nothing overlaps at all.
    Frozen as a whole it cannot; then what it did after the lease is all that may overlap, and
    nothing of that is written."""
    arena.dispatcher()
    workers = arena.workers(*WORKERS)
    jobs = hand_in(arena, LIMIT, "testing.limited", key="one", seconds=2 * LEASE_SECONDS)
    wait_for(lambda: arena.running() == LIMIT, seconds=60, what="as many as may run")
    jobs += hand_in(arena, 4 * LIMIT, "testing.limited", key="one", seconds=1)
    holder = Job.objects.filter(status=Status.PROCESSING).values_list("worker", flat=True)[0]
    frozen = workers[WORKERS.index(holder.partition("@")[0])]
    frozen.send(signal.SIGSTOP, to_children=whole)
    taken = Attempt.objects.filter(job__in=jobs)
    wait_for(taken.exists, seconds=LEASE_SECONDS + 20, what="its jobs are taken over")
    frozen.send(signal.SIGCONT, to_children=whole)

    wait_until_done()

    rows, own = by_the_rows(of(jobs)), by_their_traces(arena.trace)
    lost = {f"{line.job_id}:{line.fence}" for line in taken}
    assert_within_the_limit(rows)
    assert_within_the_limit(cut_off(own, rows, lost) if whole else own)
    Ledger(
        accepted=[job.pk for job in jobs], trace=arena.trace, faults=len(lost),
        thawed=lost if whole else (),
    ).check()  # fmt: skip


def test_no_sliding_window_ever_holds_more_starts_than_the_rate(arena: Arena) -> None:
    windows = 4
    arena.dispatcher(**LONGER)
    arena.workers("w1", "w2", **LONGER)
    with limited_queue(rate_limit=str(RATE)):
        jobs = hand_in(arena, windows * RATE.starts, "testing.work", seconds=0)
        wait_until_done(60 + 2 * windows * RATE.seconds)

        starts = [job.started_at for job in of(jobs) if job.started_at]

    assert len(starts) == windows * RATE.starts
    length = timedelta(seconds=RATE.seconds)
    assert most_in_a_window(starts, length) == RATE.starts
    assert max(starts) - min(starts) >= (windows - 1) * length
    Ledger(accepted=[job.pk for job in jobs], trace=arena.trace, faults=0).check()


def test_a_sequential_queue_runs_one_job_at_a_time_in_order_over_four_workers(
    arena: Arena,
) -> None:
    with limited_queue(max_concurrency=1):
        arena.dispatcher(**LONGER)
        arena.workers(*WORKERS, **LONGER)
        jobs = hand_in(arena, 60, "testing.limited", key="any", seconds=Random(1).uniform(0, 0.05))
        wait_until_done()

        done = sorted(of(jobs), key=lambda job: job.started_at or job.created_at)

    assert most_at_once(by_the_rows(done)) == 1
    assert most_at_once(by_their_traces(arena.trace)) == 1
    assert [job.seq for job in done] == sorted(job.seq for job in done)
    assert len({job.worker for job in done}) > 1, "only one worker had anything to do"


def test_g10_two_tenants_start_in_turns_however_many_jobs_one_of_them_has(arena: Arena) -> None:
    few = 20
    other = Tenant.objects.create(slug="other", plan_name=arena.tenant.plan_name)
    try:
        arena.dispatcher(**LONGER)
        arena.worker(**LONGER)
        hand_in(arena, 2000, "testing.work", seconds=0.05)
        ended = Job.objects.filter(status=Status.COMPLETED)
        wait_for(lambda: ended.count() > 60, seconds=60, what="the flood flows")
        late = {job.pk for job in hand_in_as(other, few, "testing.work", seconds=0.05)}
        unfinished = Job.objects.active().filter(pk__in=late)
        wait_for(lambda: not unfinished.exists(), seconds=60, what="the other's jobs end")
        assert Job.objects.ready().count() > 500, "there was no flood any more"
        started = Job.objects.exclude(started_at=None).order_by("started_at")
        order = [job_id in late for job_id in started.values_list("pk", flat=True)]
    finally:
        Job.objects.filter(tenant=other).delete()
        other.delete()

    first, last = order.index(True), len(order) - 1 - order[::-1].index(True)
    turns = Counter(order[first : last + 1])
    assert turns[True] == few
    assert few / 2 <= turns[False] <= few + 6, turns  # they start side by side in two slots
