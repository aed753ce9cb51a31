"""A delivery whose internal job is no more is sent all the same."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import Tenant
from jobs.dispatcher import chores
from jobs.models import Dependency, Job
from jobs.states import Status
from tests.jobs.racing import meanwhile
from tests.support.buffers import undone
from tests.support.receiver import Receiver
from tests.webhooks.making import deliveries, echoed, endpoint, send
from webhooks import healing
from webhooks.healing import Healing
from webhooks.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)


def lost(how: str, *, ago: timedelta = timedelta(minutes=3)) -> None:
    """All internal jobs are no more, and have been for a while."""
    tasks = Job.objects.filter(pk__in=Delivery.objects.values("task_id"))
    match how:
        case "removed":
            Dependency.objects.all().delete()
            tasks.delete()
        case "never made":
            Dependency.objects.all().delete()
            tasks.delete()
            Delivery.objects.update(task_id=None)
        case "ended":
            tasks.update(status=Status.COMPLETED, completed_at=timezone.now(), started_at=None)
    Delivery.objects.update(created_at=timezone.now() - ago)


@pytest.mark.parametrize("how", ["removed", "never made", "ended"])
def test_one_that_lost_its_job_is_handed_in_again_once(
    acme: Tenant, receiver: Receiver, how: str
) -> None:
    endpoint(acme, receiver, events=["job.completed"])
    echoed(acme)
    lost(how)
    assert [Healing().run(), Healing().run()] == [1, 0]
    send()
    assert [one.status for one in deliveries()] == ["delivered"]
    assert len(receiver.received) == 1


def test_those_of_one_job_are_told_in_order(acme: Tenant, receiver: Receiver) -> None:
    endpoint(acme, receiver)
    echoed(acme)
    lost("removed")
    assert Healing().run() == 2
    first, second = deliveries()
    edges = Dependency.objects.values_list("job_id", "depends_on_id")
    assert list(edges) == [(second.task_id, first.task_id)]
    send()
    assert [one.status for one in deliveries()] == ["delivered"] * 2


def test_one_whose_job_waits_is_left_alone(acme: Tenant, receiver: Receiver) -> None:
    endpoint(acme, receiver, events=["job.completed"])
    echoed(acme)
    Delivery.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert Healing().run() == 0
    send()
    assert len(receiver.received) == 1
    assert Healing().run() == 0


def test_one_that_is_new_is_left_alone(acme: Tenant, receiver: Receiver) -> None:
    endpoint(acme, receiver, events=["job.completed"])
    echoed(acme)
    lost("removed", ago=timedelta(minutes=1))
    assert Healing().run() == 0


def test_one_that_somebody_holds_is_for_the_next_time(acme: Tenant, receiver: Receiver) -> None:
    endpoint(acme, receiver, events=["job.completed"])
    echoed(acme)
    lost("removed")
    with meanwhile(lambda: Delivery.objects.select_for_update().get()):
        assert Healing().run() == 0
    assert Healing().run() == 1


def test_so_many_in_one_go_and_no_more(
    acme: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(healing, "MOST", 2)
    monkeypatch.setattr(healing, "PAGE", 3)
    endpoint(acme, receiver, events=["job.completed"])
    for _ in range(5):
        echoed(acme)
    alive = deliveries()[0].task_id
    lost("removed")
    Delivery.objects.filter(task_id=alive).update(task_id=None)
    healer = Healing()
    handed_in = [healer.run() for _ in range(4)]
    assert sum(handed_in) == 5
    assert max(handed_in) <= 2 * 2
    assert len(set(Delivery.objects.values_list("task_id", flat=True))) == 5


def test_the_look_at_a_page_goes_by_an_index(acme: Tenant, receiver: Receiver) -> None:
    """What has ended costs it nothing."""
    row = endpoint(acme, receiver, events=["job.completed"]).endpoint
    echoed(acme)
    event = deliveries()[0].event
    healer = Healing()
    before = undone(healer._lost)[1]
    ended = {"status": "failed", "ended_at": timezone.now(), "event_name": event.name}
    events = [type(event)(tenant=acme, name=event.name, body="{}") for _ in range(3000)]
    type(event).objects.bulk_create(events)
    Delivery.objects.bulk_create(
        Delivery(tenant=acme, endpoint=row, event=one, task_id=UUID(int=number + 1), **ended)
        for number, one in enumerate(events)
    )
    healer = Healing()
    assert undone(healer._lost)[1] <= before + 10


def test_the_dispatcher_looks_every_minute() -> None:
    found = {one.name: one for one in chores._registered.values()}
    assert found["webhooks that were lost"].every_seconds == 60
    assert found["webhooks"].every_seconds == 1
