"""Deliveries by real processes that are killed, and beside endpoints that are dead."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from functools import partial

import pytest
from django.db.models import Sum
from pytest_django import Settings

from jobs.models import Job
from jobs.states import Status
from tests.support import answers
from tests.support.arena import Arena
from tests.support.receiver import Receiver
from tests.support.waiting import wait_for
from tests.webhooks.making import endpoint, verified
from webhooks.models import Delivery, Endpoint

DEAD_EVENTS, HEALTHY, MANY_DEAD = 60, 12, 60


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    with Receiver() as receiver:
        settings.EGRESS_ALLOW = [receiver.address]
        yield receiver


def pending() -> int:
    return Delivery.objects.filter(status="pending").count()


def has_more_than(receiver: Receiver, number: int) -> bool:
    """Or nothing more will come."""
    return len(receiver.received) > number or not pending()


def test_g9_f9_a_deliverer_killed_before_it_wrote_sends_the_same_again(
    arena: Arena, receiver: Receiver
) -> None:
    made = endpoint(arena.tenant, receiver, events=["job.completed"])
    receiver.answers(answers.silent)
    arena.dispatcher()
    arena.worker()
    deliverer = arena.webhook_worker(EGRESS_ALLOW=receiver.address)
    job = arena.enqueue("diagnostics.echo", n=1)
    receiver.wait_for(1)
    deliverer.kill()
    arena.webhook_worker("webhooks-2", EGRESS_ALLOW=receiver.address)
    receiver.wait_for(2)
    wait_for(lambda: pending() == 0, seconds=60, what="it is delivered")
    first, second = receiver.received
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    verified(second, made.secret)
    done = Job.objects.get(pk=job.pk)
    assert (done.status, done.webhook_delivered) == (Status.COMPLETED, True)


def test_g9_killed_again_and_again_nothing_is_lost_and_the_order_of_a_job_is_kept(
    arena: Arena, receiver: Receiver
) -> None:
    made = endpoint(arena.tenant, receiver)
    receiver.otherwise = answers.after(0.02, answers.status(200))
    arena.dispatcher()
    arena.worker()
    deliverer = arena.webhook_worker(EGRESS_ALLOW=receiver.address)
    jobs = [arena.enqueue("diagnostics.echo", n=number) for number in range(30)]
    for number in range(3):
        some = partial(has_more_than, receiver, len(receiver.received) + 5)
        wait_for(some, seconds=60, what="some are delivered")
        deliverer.send(signal.SIGKILL)
        deliverer.wait_until_ended(seconds=30)
        deliverer = arena.webhook_worker(f"webhooks-{number}", EGRESS_ALLOW=receiver.address)
    wait_for(lambda: Delivery.objects.filter(status="delivered").count() == 2 * len(jobs),
             seconds=120, what="all are delivered")  # fmt: skip
    told: dict[str, list[str]] = {}
    for request in receiver.received:
        said = verified(request, made.secret)
        told.setdefault(said["data"]["job_id"], []).append(said["event"])
    assert set(told) == {str(job.pk) for job in jobs}
    for events in told.values():
        assert list(dict.fromkeys(events)) == ["job.started", "job.completed"]
        assert events == sorted(events, reverse=True)  # no step back


def test_a_dead_endpoint_holds_up_no_other(arena: Arena, settings: Settings) -> None:
    with Receiver() as dead, Receiver() as healthy:
        dead.otherwise = answers.silent
        settings.EGRESS_ALLOW = [dead.address, healthy.address]
        endpoint(arena.tenant, dead, events=["job.completed"], types=["testing.work"])
        for _ in range(HEALTHY):
            endpoint(arena.tenant, healthy, events=["job.completed"], types=["diagnostics.echo"])
        arena.dispatcher()
        arena.worker()
        arena.webhook_worker(EGRESS_ALLOW=",".join(settings.EGRESS_ALLOW), WEBHOOK_CONCURRENCY="4")
        for _ in range(DEAD_EVENTS):
            arena.enqueue("testing.work")
        dead.wait_for(1)
        for number in range(5):
            arena.enqueue("diagnostics.echo", n=number)
        healthy.wait_for(5 * HEALTHY)
        assert len(dead.received) <= 3  # of its first time-out or two
        waiting = Delivery.objects.filter(status="pending", endpoint__url=dead.url)
        assert waiting.count() > DEAD_EVENTS - 3
        ids = [json.loads(one.body)["data"]["job_id"] for one in healthy.received]
        assert len(set(ids)) == 5


def asked(url: str) -> int:
    """How often deliveries to this URL were given to a worker."""
    tasks = Delivery.objects.filter(endpoint__url=url).values("task_id")
    return Job.objects.filter(pk__in=tasks).aggregate(total=Sum("attempt"))["total"] or 0


def test_many_that_fail_are_asked_as_often_as_there_is_room_and_hold_up_no_other(
    arena: Arena, settings: Settings
) -> None:
    with Receiver() as dead, Receiver() as healthy:
        dead.otherwise = answers.silent
        settings.EGRESS_ALLOW = [dead.address, healthy.address]
        for _ in range(MANY_DEAD):
            endpoint(arena.tenant, dead, events=["job.completed"], types=["testing.work"])
        Endpoint.objects.update(consecutive_failures=1)
        endpoint(arena.tenant, healthy, events=["job.completed"], types=["diagnostics.echo"])
        arena.dispatcher()
        arena.worker()
        arena.webhook_worker(
            EGRESS_ALLOW=",".join(settings.EGRESS_ALLOW),
            WEBHOOK_CONCURRENCY="4",  # one of them for those that fail
            WEBHOOK_TIMEOUT_SECONDS="2",
        )
        arena.enqueue("testing.work")
        wait_for(lambda: asked(dead.url) >= MANY_DEAD, seconds=90, what="each was asked once")

        sent, before = len(dead.received), asked(dead.url)
        dead.wait_for(sent + 5)
        assert asked(dead.url) - before <= 5 * (len(dead.received) - sent)

        before = asked(dead.url)
        for number in range(HEALTHY):
            arena.enqueue("diagnostics.echo", n=number)
        healthy.wait_for(HEALTHY)
        assert asked(dead.url) - before <= 3 * HEALTHY
