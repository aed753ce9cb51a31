"""Jobs under a rate: sent and booked as a tick does it, and ended in every way."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F

from jobs import lifecycle
from jobs.dispatcher.rates import Rates
from jobs.lifecycle import Dispatched
from jobs.message import FencedJob
from jobs.models import Job, RateUse
from jobs.policies.buckets import Place, of_queue
from jobs.policies.rate import Rate
from jobs.policies.rules import Limit, Snapshot
from tests.jobs import making
from tests.jobs.kinds import QUEUE

SECONDS, MOST = 60, 3
POLICY = Snapshot(limits={of_queue(QUEUE): Limit(rate=Rate(MOST, SECONDS))})


def clock() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    assert isinstance(now, datetime)
    return now


def looked(rates: Rates, policy: Snapshot = POLICY) -> Rates:
    rates.look(policy, clock())
    return rates


def spent(rates: Rates) -> int:
    """How many starts of the queue count at this moment."""
    return looked(rates).starts(of_queue(QUEUE), SECONDS)


def send(rates: Rates, *jobs: Job, policy: Snapshot = POLICY) -> list[FencedJob]:
    """As a tick does: mark, and book what is marked."""
    looked(rates, policy)
    places = {job.pk: Place(job.queue_id, job.type, job.tenant_id, job.limit_key) for job in jobs}
    sent: list[Dispatched] = lifecycle.dispatch([job.pk for job in jobs])
    rates.book(sent, policy, places)
    return [FencedJob(one.id, one.fence) for one in sent]


def start(sent: FencedJob) -> FencedJob:
    claimed = making.take(sent)
    assert claimed is not None
    return claimed.held


def pass_time(seconds: float) -> None:
    """Everything that happened is so much longer ago."""
    ago = timedelta(seconds=seconds)
    Job.objects.update(
        started_at=F("started_at") - ago,
        dispatched_at=F("dispatched_at") - ago,
        completed_at=F("completed_at") - ago,
    )
    RateUse.objects.update(booked_at=F("booked_at") - ago, started_at=F("started_at") - ago)


def completed(held: FencedJob) -> None:
    lifecycle.complete(held, result=None)


def retried(held: FencedJob) -> None:
    lifecycle.retry_later(held, delay_seconds=1, error=making.ERROR)


def forced(held: FencedJob) -> None:
    lifecycle.force_queue(held.id, error=making.ERROR)


def rescued(held: FencedJob) -> None:
    Job.objects.update(lease_expires_at=F("started_at"))
    assert lifecycle.rescue(limit=1, crash_limit=5, error=making.ERROR)


def snoozed(held: FencedJob) -> None:
    lifecycle.snooze(held, delay_seconds=1)


def failed_and_revived(held: FencedJob) -> None:
    lifecycle.fail(held, error=making.ERROR)
    lifecycle.revive(held.id)


def deleted(held: FencedJob) -> None:
    completed(held)
    Job.objects.filter(pk=held.id).delete()
