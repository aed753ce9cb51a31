"""A dispatcher's round in this process: registered workers in, messages in the lists out."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from accounts.models import Tenant
from config.celery import app
from jobs import broker, lifecycle, nudge
from jobs.dispatcher.loop import LEADER_LEASE_SECONDS, Dispatcher
from jobs.dispatcher.nudges import Nudges
from jobs.dispatcher.runtimes import Runtimes
from jobs.message import FencedJob, decode
from jobs.models import Job, Leadership, Worker
from jobs.priorities import Level
from tests.jobs import making
from tests.jobs.broker_lists import QUEUES, app_without_broker, emptied, messages
from tests.jobs.kinds import ECHO

SECRET = "only in the row"


@pytest.fixture(autouse=True)
def lists(db: None) -> Iterator[None]:
    emptied()
    yield
    emptied()


def worker(*queues: str, slots: int = 4) -> Worker:
    return Worker.objects.create(
        name=f"worker {Worker.objects.count()}",
        incarnation=making.stranger().id,
        queues=list(queues or ("default", "mail")),
        types=[ECHO],
        slots=slots,
        seen_at=Now(),
    )


def dispatcher(name: str = "here") -> Dispatcher:
    return Dispatcher(app, holder=name)


def arrived() -> dict[str, list[FencedJob]]:
    """Every message in the broker, by list."""
    found = {queue: [_job(message) for message in messages(queue)] for queue in QUEUES}
    return {queue: jobs for queue, jobs in found.items() if jobs}


def _job(message: Any) -> FencedJob:
    (job,) = decode(body(message)[0][0])
    return job


def body(message: Any) -> Any:
    return json.loads(message.body) if isinstance(message.body, str | bytes) else message.body


def test_a_round_sends_ready_jobs_to_the_list_of_their_queue_and_level(tenant: Tenant) -> None:
    worker(slots=10)
    jobs = {
        "default.urgent": making.queued(tenant, priority="urgent"),
        "default.high": making.queued(tenant, priority=89),
        "default.normal": making.queued(tenant, priority=30),
        "default.low": making.queued(tenant, priority=0),
        "mail.low": making.queued(tenant, priority=29, queue="mail"),
    }

    assert dispatcher().tick() == 5

    assert arrived() == {queue: [making.held(job)] for queue, job in jobs.items()}
    assert set(Job.objects.in_flight()) == set(jobs.values())


def test_a_message_is_celerys_own_and_tells_no_payload(tenant: Tenant) -> None:
    worker()
    job = making.queued(tenant, priority=95, payload={"secret": SECRET}, timeout_seconds=77)

    dispatcher().tick()

    (message,) = messages("default.urgent")
    headers = message.headers
    arguments, keywords, _ = body(message)
    assert decode(arguments[0]) == [making.held(job)]
    assert keywords == {}
    assert headers["task"] == ECHO
    assert headers["argsrepr"] == f"({job.pk})"
    assert headers["timelimit"] == [82, 77]
    assert headers["ignore_result"] is True
    assert (headers["eta"], headers["expires"]) == (None, None)
    assert (message.content_type, message.content_encoding) == ("application/json", "utf-8")
    assert SECRET not in str(message.body) + str(headers)


def test_each_sending_has_a_task_id_of_its_own(tenant: Tenant) -> None:
    worker()
    job = making.queued(tenant, priority=95)
    ids: list[str] = []
    for _ in range(3):
        assert dispatcher(f"{len(ids)}").tick() == 1
        (message,) = messages("default.urgent")
        ids.append(message.headers["id"])
        broker_forgot(job)

    assert len(set(ids)) == 3


def broker_forgot(job: Job) -> None:
    assert lifecycle.withdraw([making.held(job)])
    Leadership.objects.update(expires_at=Now())


def test_messages_lie_in_the_list_in_the_order_of_the_jobs(tenant: Tenant) -> None:
    worker(slots=20)
    jobs = [making.queued(tenant, priority=p) for p in (50, 60, 50, 69, 60)]

    dispatcher().tick()

    expected = [jobs[n].pk for n in (3, 1, 4, 0, 2)]
    assert [job.id for job in arrived()["default.normal"]] == expected


def test_no_more_is_sent_than_the_workers_have_slots(tenant: Tenant) -> None:
    worker(slots=2)
    for _ in range(5):
        making.queued(tenant)
    leading = dispatcher()

    assert leading.tick() == 2
    assert leading.tick() == 0
    assert Job.objects.ready().count() == 3


def test_a_slot_that_is_freed_is_filled_by_the_next_round(tenant: Tenant) -> None:
    incarnation = worker(slots=1).incarnation
    for _ in range(2):
        making.queued(tenant)
    leading = dispatcher()
    leading.tick()
    (sent,) = arrived()["default.urgent"]
    claimed = making.take(sent, incarnation=incarnation)
    assert leading.tick() == 0
    assert claimed is not None

    lifecycle.complete(claimed.held, result=None)

    assert leading.tick() == 1


def test_short_jobs_are_sent_ahead_once_they_were_measured(tenant: Tenant) -> None:
    worker(slots=1)
    for _ in range(30):
        making.queued(tenant)
    leading = dispatcher()
    for _ in range(50):
        leading.runtimes.record(ECHO, 0.02)

    assert leading.tick() > 8


def test_without_a_worker_nothing_is_sent(tenant: Tenant) -> None:
    making.queued(tenant)

    assert dispatcher().tick() == 0
    assert arrived() == {}
    assert Job.objects.ready().count() == 1


def test_a_round_promotes_what_is_due_and_sends_it(tenant: Tenant) -> None:
    worker()
    job = making.scheduled(tenant)
    making.let_pass(job, "visible_at")

    assert dispatcher().tick() == 1
    assert list(Job.objects.in_flight()) == [job]


def test_only_the_leader_sends(tenant: Tenant) -> None:
    worker()
    leading, waiting = dispatcher("leading"), dispatcher("waiting")
    assert leading.tick() == 0
    making.queued(tenant)

    assert waiting.tick() == 0
    assert arrived() == {}
    assert leading.tick() == 1


def test_a_leader_whose_term_is_over_sends_nothing_more(tenant: Tenant) -> None:
    worker()
    stalled, successor = dispatcher("stalled"), dispatcher("successor")
    stalled.tick()
    Leadership.objects.update(expires_at=Now())
    assert successor.tick() == 0
    making.queued(tenant)

    assert stalled.tick() == 0
    assert stalled.tick() == 0
    assert arrived() == {}
    assert successor.tick() == 1
    assert LEADER_LEASE_SECONDS > 0


def test_a_broker_that_is_away_costs_a_job_its_mark_and_nothing_else(tenant: Tenant) -> None:
    worker()
    job = making.queued(tenant)
    cut_off = Dispatcher(app_without_broker(), holder="cut off")
    cut_off.stop()  # so that it does not pause after the failure
    began = time.monotonic()

    assert cut_off.tick() == 1

    assert time.monotonic() - began < 10
    after = making.fresh(job)
    assert (after.status, after.dispatched_at, after.fence) == ("queued", None, 2)
    Leadership.objects.update(expires_at=Now())
    assert dispatcher().tick() == 1


def test_an_outage_ends_a_step_and_not_the_dispatcher(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("jobs.dispatcher.loop.connection.close", lambda: None)
    here = dispatcher()
    here.stop()

    def away() -> int:
        raise OperationalError("server closed the connection\nunexpectedly")

    def broken() -> int:
        raise ZeroDivisionError

    assert here._guarded(away) == 0
    assert here._guarded(broken) == 0
    assert here._guarded(lambda: 3) == 3
    assert "server closed the connection" in caplog.text
    assert "a step of the dispatcher failed" in caplog.text


def test_a_list_is_empty_or_not(tenant: Tenant) -> None:
    def empty(queue: str, level: Level) -> bool:
        with app.connection_for_read() as connection:
            return broker.is_empty(connection, queue, level)

    assert empty("default", Level.URGENT)
    broker.publish(app, lifecycle.dispatch([making.queued(tenant).pk]))
    assert not empty("default", Level.URGENT)
    assert empty("default", Level.HIGH)
    messages("default.urgent")
    assert empty("default", Level.URGENT)


def test_workers_drain_all_urgent_lists_first() -> None:
    assert broker.consumed_queues(["mail", "default", "mail"]) == [
        "default.urgent", "mail.urgent", "default.high", "mail.high",
        "default.normal", "mail.normal", "celery", "default.low", "mail.low",
    ]  # fmt: skip


def test_a_worker_of_the_platforms_own_jobs_alone_takes_no_ordinary_tasks() -> None:
    ours = broker.consumed_queues(["webhooks"])
    assert ours == ["webhooks.urgent", "webhooks.high", "webhooks.normal", "webhooks.low"]
    assert "celery" in broker.consumed_queues(["webhooks", "default"])


@pytest.mark.parametrize(
    ("consumed", "names"),
    [
        (["default.urgent", "default.low", "celery"], ["default"]),
        (["reports", "mail.high"], ["mail", "reports"]),
        (["v1.reports"], ["v1.reports"]),
        ([], []),
    ],
)
def test_broker_lists_are_read_back_as_queues(consumed: list[str], names: list[str]) -> None:
    assert broker.queue_names(consumed) == names


def test_a_nudge_wakes_the_dispatcher_and_carries_a_measurement() -> None:
    runtimes = Runtimes()
    nudges = Nudges(runtimes)
    nudges.start()
    deadline = time.monotonic() + 20
    try:
        while runtimes.expected("nudged.type") is None:  # until it has subscribed
            assert time.monotonic() < deadline
            nudge.slot_freed("nudged.type", 0.5)
            nudges.wait(0.2)
    finally:
        nudges.stop()

    assert runtimes.expected("nudged.type") is not None
