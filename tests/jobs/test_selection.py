"""What the dispatcher knows of workers, load and messages on their way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from accounts.models import Tenant
from jobs.dispatcher.selection import (
    WORKER_SILENT_AFTER,
    live_workers,
    load,
    on_their_way,
)
from jobs.dispatcher.window import LiveWorker
from jobs.models import Worker
from jobs.priorities import Level
from tests.jobs import making
from tests.jobs.kinds import ECHO


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
