"""Which jobs the dispatcher reads as ready, and in which order."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.db.models.functions import Now

from accounts.models import Tenant
from jobs import lifecycle
from jobs.dispatcher.selection import (
    WORKER_SILENT_AFTER,
    live_workers,
    load,
    on_their_way,
    ready,
)
from jobs.dispatcher.window import LiveWorker, Room
from jobs.enqueue import JobOptions, enqueue
from jobs.models import Job, Worker
from jobs.priorities import Level
from tests.jobs import making
from tests.jobs.kinds import ECHO

SLEEP = "diagnostics.sleep"


def worker(*queues: str, types: tuple[str, ...] = (ECHO,)) -> LiveWorker:
    return LiveWorker(
        incarnation=making.INCARNATION,
        queues=frozenset(queues or ("default",)),
        types=frozenset(types),
        slots=4,
    )


def selected(rooms: dict[str, int], *workers: LiveWorker) -> list[UUID]:
    wanted = {queue: Room(most=room, lowest=Level.LOW) for queue, room in rooms.items()}
    return [job.id for job in ready(wanted, workers or [worker("default", "mail", "reports")])]


def test_the_highest_priority_comes_first_and_of_one_priority_the_oldest(tenant: Tenant) -> None:
    jobs = [making.queued(tenant, priority=p) for p in (50, 95, 50, 10, 95, 100)]

    expected = [jobs[n].pk for n in (5, 1, 4, 0, 2, 3)]
    assert selected({"default": 10}) == expected


def test_the_order_holds_over_queues_and_tenants(tenant: Tenant, other: Tenant) -> None:
    jobs = [
        making.queued(who, queue=queue, priority=priority)
        for priority in (10, 60, 30)
        for who in (tenant, other)
        for queue in ("mail", "default")
    ]

    found = selected({"default": 20, "mail": 20})

    assert found == [job.pk for job in sorted(jobs, key=lambda job: (-job.priority, job.seq))]


def test_each_queue_gets_no_more_than_its_room_from_each_tenant(
    tenant: Tenant, other: Tenant
) -> None:
    for who in (tenant, other):
        for _ in range(5):
            making.queued(who, priority=50)
            making.queued(who, priority=50, queue="mail")

    found = selected({"default": 3, "mail": 1})

    queues = dict(Job.objects.filter(pk__in=found).values_list("pk", "queue_id"))
    assert len(found) == 4
    assert set(queues.values()) == {"default", "mail"}


def test_without_room_or_worker_nothing_is_read(tenant: Tenant) -> None:
    making.queued(tenant)

    assert selected({}) == []
    assert selected({"default": 0}) == []
    assert selected({"mail": 5}) == []


def test_only_jobs_that_wait_unsent_are_ready(tenant: Tenant) -> None:
    jobs = {name: making.in_situation(tenant, name) for name in making.SITUATIONS}
    behind = Job.objects.exclude(pk__in=[job.pk for job in jobs.values()])
    lifecycle.cancel(behind.get().pk, by="")  # what the blocked one waits for

    assert selected({"default": 50}) == [jobs["ready"].pk]


def test_a_type_that_no_worker_of_the_queue_knows_is_passed_over(tenant: Tenant) -> None:
    unknown = enqueue(tenant, SLEEP, {}).job
    known = making.queued(tenant)
    in_mail = enqueue(tenant, SLEEP, {}, JobOptions(queue="mail")).job
    workers = [worker("default"), worker("mail", types=(SLEEP,))]

    assert selected({"default": 1, "mail": 1}, *workers) == [known.pk, in_mail.pk]
    assert unknown.pk in selected({"default": 5}, worker(types=(ECHO, SLEEP)))


def test_a_forced_job_is_not_sent_before_its_old_lease_ends(tenant: Tenant) -> None:
    job = making.in_situation(tenant, "processing")
    lifecycle.force_queue(job.pk, error=making.ERROR)

    assert selected({"default": 5}) == []
    making.let_pass(job, "lease_expires_at")
    assert selected({"default": 5}) == [job.pk]


def test_a_job_whose_time_to_start_is_over_is_not_sent(tenant: Tenant) -> None:
    job, still_good = making.queued(tenant), making.queued(tenant)
    making.let_pass(job, "expires_at")
    Job.objects.filter(pk=still_good.pk).update(expires_at=Now() + timedelta(hours=1))

    assert selected({"default": 5}) == [still_good.pk]


def test_many_tenants_are_found_although_one_has_a_large_backlog(tenant: Tenant) -> None:
    for _ in range(50):
        making.queued(tenant, priority=50)
    others = [Tenant.objects.create(slug=f"t{n}") for n in range(10)]
    urgent = [making.queued(who, priority=89) for who in others]

    assert set(selected({"default": 10})) == {job.pk for job in urgent}


def test_the_best_of_a_large_backlog_are_found(tenant: Tenant) -> None:
    Job.objects.bulk_create(
        Job(
            tenant=tenant, type=ECHO, queue_id="default", status="queued", priority=n % 100,
            base_priority=50, max_retries=0, timeout_seconds=1,
        )
        for n in range(1000)
    )  # fmt: skip

    best = selected({"default": 5})

    ninety_nine = Job.objects.filter(priority=99).order_by("seq").values_list("pk", flat=True)
    assert best == list(ninety_nine[:5])


# --- workers and load --------------------------------------------------------------------


def registered(name: str, *, seconds_ago: float = 0, stopping: bool = False) -> Worker:
    return Worker.objects.create(
        name=name,
        incarnation=making.stranger().id,
        queues=["default"],
        types=[ECHO],
        slots=2,
        stopping=stopping,
        seen_at=Now() - timedelta(seconds=seconds_ago),
    )


@pytest.mark.django_db
def test_a_worker_counts_while_it_reports_and_does_not_stop() -> None:
    silent = WORKER_SILENT_AFTER.total_seconds()
    alive = registered("alive", seconds_ago=silent - 2)
    registered("silent", seconds_ago=silent + 1)
    registered("stopping", stopping=True)

    assert live_workers() == [
        LiveWorker(
            incarnation=alive.incarnation,
            queues=frozenset({"default"}),
            types=frozenset({ECHO}),
            slots=2,
        )
    ]


def test_the_load_is_what_runs_and_what_is_on_its_way(tenant: Tenant) -> None:
    running = making.queued(tenant)
    making.start(running)
    job = making.queued(tenant, queue="mail", priority="low")
    sent = making.send(job)

    (message,) = on_their_way()
    at_work = load()

    assert (message.id, message.fence, message.lane) == (sent.id, sent.fence, ("mail", Level.LOW))
    assert message.sent_at == making.fresh(job).dispatched_at
    assert at_work.running == {making.INCARNATION: [ECHO]}
    assert at_work.waiting == {("mail", Level.LOW): [ECHO]}
