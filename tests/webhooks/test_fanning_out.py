"""Events for very many: written in the transaction of the change, told a few hundred at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Tenant
from jobs import lifecycle, operations
from jobs.enqueue import JobRequest, enqueue, enqueue_many
from jobs.models import Job
from jobs.options import DependsOn, JobOptions
from jobs.states import Status
from jobs.testing import run_inline
from tests.support import answers
from tests.support.receiver import Receiver
from tests.webhooks.making import EVE, deliveries, echoed, endpoint, failed, send, verified, waiting
from webhooks import fanning_out, handing_in, healing, verbs
from webhooks.handing_in import Due
from webhooks.models import Delivery, Event
from webhooks.policies import FAN_OUT

pytestmark = pytest.mark.django_db(transaction=True)
ENDS = ["job.completed", "job.failed", "job.cancelled"]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanning_out, "MOST_AT_ONCE", 3)
    monkeypatch.setattr(fanning_out, "_IN_A_TRANSACTION", 4)


def with_dependants(tenant: Tenant, number: int) -> Job:
    """A job that others wait for, which are cancelled when it fails."""
    first = enqueue(tenant, "diagnostics.fail", {"times": 5}, JobOptions(max_retries=0)).job
    after = JobOptions(depends_on=[DependsOn(job_id=first.pk)])
    enqueue_many(
        tenant, [JobRequest(type_name="diagnostics.echo", payload={}, options=after)] * number
    )
    return first


def test_the_end_of_a_job_with_many_dependants_makes_no_delivery_itself(
    acme: Tenant, receiver: Receiver
) -> None:
    made = [endpoint(acme, receiver, events=ENDS) for _ in range(3)]
    run_inline(with_dependants(acme, 5))
    assert Job.objects.filter(tenant=acme, status=Status.CANCELLED).count() == 5
    assert Event.objects.filter(name="job.cancelled", due__len=3).count() == 5
    assert not Delivery.objects.filter(event_name="job.cancelled").exists()
    send()
    assert Event.objects.filter(due__isnull=False).count() == 0
    told = Delivery.objects.filter(event_name="job.cancelled", status="delivered")
    assert told.count() == 5 * 3
    assert told.values("event", "endpoint").distinct().count() == 5 * 3
    secrets = {one.endpoint.pk: one.secret for one in made}
    assert len(secrets) == 3
    assert len(receiver.received) == 3 * 6  # the end of the first one as well


def test_a_change_sends_as_many_statements_for_a_hundred_endpoints_as_for_four(
    acme: Tenant, receiver: Receiver
) -> None:
    def cost() -> int:
        job = waiting(acme)
        with CaptureQueriesContext(
            connection,
        ) as statements:
            lifecycle.cancel(job.pk, by="user:eve")
        return len(statements)

    for _ in range(4):
        endpoint(acme, receiver, events=ENDS)
    cost()
    few = cost()
    for _ in range(96):
        endpoint(acme, receiver, events=ENDS)
    cost()
    assert cost() <= few


def test_g9_what_follows_an_event_that_is_put_off_waits_behind_it(
    acme: Tenant, receiver: Receiver
) -> None:
    made = [endpoint(acme, receiver) for _ in range(4)]
    job = failed(acme)  # of its start and its end four are to be told
    assert Delivery.objects.count() == 0
    for one in made[1:]:
        verbs.delete(one.endpoint, EVE)
    operations.retry(job, EVE)
    run_inline(Job.objects.get(pk=job.pk))  # of this only one
    assert Delivery.objects.count() == 0
    send()
    (left,) = made[:1]
    told = [verified(one, left.secret)["event"] for one in receiver.received]
    assert told == ["job.started", "job.failed"] * 2
    assert {one.last_error for one in deliveries() if one.status == "failed"} == {
        "endpoint_deleted"
    }


def test_fanning_out_can_be_broken_off_anywhere_and_doubles_nothing(
    acme: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        endpoint(acme, receiver, events=ENDS)
    jobs = [echoed(acme) for _ in range(3)]
    tell, calls = handing_in.tell, iter(range(100))

    def breaks(tenant_id: int, due: Sequence[Due]) -> list[Delivery]:
        if next(calls) == 1:
            raise RuntimeError("away")
        return tell(tenant_id, due)

    monkeypatch.setattr(handing_in, "tell", breaks)
    send(skip_waits=True)
    assert Delivery.objects.count() == 15
    assert len(receiver.received) == 15
    ids = {one.headers["webhook-id"] for one in receiver.received}
    assert len(ids) == len(jobs)


def test_a_job_that_says_much_to_many_ends_as_any_other(acme: Tenant, receiver: Receiver) -> None:
    receiver.otherwise = answers.status(200)
    for _ in range(4):
        endpoint(acme, receiver, events=["job.completed"])
    job = waiting(acme)
    job = run_inline(Job.objects.get(pk=job.pk))
    assert job.status == Status.COMPLETED
    send()
    bodies = {one.body for one in receiver.received}
    assert len(bodies) == 1
    assert json.loads(bodies.pop())["data"]["job_id"] == str(job.pk)
    assert Job.objects.get(pk=job.pk).webhook_delivered


def test_g9_what_was_put_off_is_told_though_the_job_that_tells_it_is_no_more(
    acme: Tenant, receiver: Receiver
) -> None:
    for _ in range(4):
        endpoint(acme, receiver, events=ENDS)
    echoed(acme)
    Job.objects.filter(type=FAN_OUT).delete()
    assert healing.ask_again() == 0  # it may be on its way
    Event.objects.update(created_at=timezone.now() - timedelta(minutes=3))
    assert [healing.ask_again(), healing.ask_again()] == [1, 0]
    send()
    assert len(receiver.received) == 4
