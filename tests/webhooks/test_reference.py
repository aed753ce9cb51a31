"""What the reference says of webhooks is what is sent."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.db import transaction

from accounts.models import Tenant
from config.bootstrap import ROOT
from jobs import lifecycle
from jobs.batches import hand_in
from jobs.enqueue import JobRequest, enqueue
from jobs.models import Job
from jobs.testing import run_inline
from scheduling.firing import fire_due
from tests.scheduling.making import at, since
from tests.support import answers
from tests.support.receiver import Receiver
from tests.webhooks.making import EVE, echoed, endpoint, failed, send, waiting
from webhooks import verbs
from webhooks.models import Event
from webhooks.policies import DELIVERED_EVENTS

PAGE = (ROOT / "docs" / "reference" / "webhooks.md").read_text()

pytestmark = pytest.mark.django_db(transaction=True)


def sent(tenant: Tenant, receiver: Receiver) -> dict[str, dict[str, Any]]:
    """A body of each event, as it is sent to one that hears of all; another one answers 410."""
    made = endpoint(tenant, receiver).endpoint
    endpoint(tenant, receiver, events=["job.started"])
    verbs.test(made, EVE)
    echoed(tenant, labels={"order": "7"})
    failed(tenant)
    run_inline(enqueue(tenant, "diagnostics.fail", {"times": 1}).job)
    lifecycle.cancel(waiting(tenant).pk, by="user:eve")
    batch = hand_in(tenant, [JobRequest(type_name="diagnostics.echo", payload={})], name="nightly")
    for job in Job.objects.filter(batch=batch.batch.pk):
        run_inline(job)
    since(tenant, at(9, 30), misfire="skip")
    with transaction.atomic():
        fire_due(now=at(12, 30))
    receiver.otherwise = answers.status(410)
    send()
    return {event.name: json.loads(event.body) for event in Event.objects.order_by("pk")}


def shown() -> list[dict[str, Any]]:
    return [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", PAGE, re.S | re.M)]


def test_the_page_names_each_event_that_is_sent(acme: Tenant, receiver: Receiver) -> None:
    rows = re.findall(r"^\| `(\w+\.\w+)` \|", PAGE.partition("## A request")[0], re.M)
    assert sorted(rows) == sorted(DELIVERED_EVENTS)
    assert sorted(sent(acme, receiver)) == sorted(DELIVERED_EVENTS)


def test_the_bodies_on_the_page_have_what_is_sent(acme: Tenant, receiver: Receiver) -> None:
    bodies = sent(acme, receiver)
    examples = {one["event"]: one for one in shown()}
    for name, told in bodies.items():
        example = examples["job.completed" if name.startswith("job.") else name]
        assert list(told) == list(example), name
        assert list(told["data"]) == list(example["data"]), name
