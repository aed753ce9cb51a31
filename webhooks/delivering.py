"""One attempt at a delivery: load, send, judge, write down, say when again.

Between the request and the note of it this process may die. Then the same is sent again, with the
same id: a receiver tells it by that.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from random import SystemRandom
from uuid import UUID

from django.db import DatabaseError

from jobs import JobContext, Retry, Snooze
from jobs.policies import closing
from webhooks import disabling, flags, recording, sending, share
from webhooks.exceptions import DeliveryFailed
from webhooks.judging import GONE, Verdict, judge
from webhooks.listening import listener_of
from webhooks.models import Delivery, Endpoint
from webhooks.policies import DeliveryStatus

_random = SystemRandom()
DELETED, DISABLED = "endpoint_deleted", "endpoint_disabled"
NOTHING = "nothing to send"
_LATER_SECONDS = 2.0


def attempt(context: JobContext, delivery_id: UUID, attempts_before: int) -> str:
    """Returns what there is to say of a delivery that is at its end. Raises Retry to be called
    again, RateLimited where the endpoint has to wait, DeliveryFailed where it was given up; and
    Snooze where all was sent and recorded, but not all that follows from it."""
    delivery = _loaded(delivery_id)
    if delivery is None or delivery.task_id != context.job_id:
        return NOTHING
    if delivery.status != DeliveryStatus.PENDING:  # this process, or one before it, had to stop
        _follow(delivery, is_gone=delivery.last_error == GONE)
        return NOTHING
    if why := _closed(delivery.endpoint):
        recording.give_up(delivery, why, context)
        return why
    context.raise_if_cancelled()
    with share.failing.of(delivery.endpoint):
        sent = sending.send(delivery)
    verdict = judge(sent.answer, datetime.now(UTC))
    failures = delivery.attempts - attempts_before + 1
    again = None if verdict.arrived else _again(context, delivery.endpoint, verdict, failures)
    recording.record(delivery, sent, verdict, context=context, again=again)
    if verdict.wait:
        closing.close(context.job_id, key=None, seconds=verdict.wait)
    if again is not None:
        with suppress(DatabaseError):  # the next attempt says it as well
            flags.note(delivery)
        raise Retry(after=again, reason=verdict.message)
    _follow(delivery, is_gone=verdict.is_gone)
    if not verdict.arrived:
        raise DeliveryFailed(verdict.error)
    return "delivered"


def _follow(delivery: Delivery, *, is_gone: bool) -> None:
    """What follows from a delivery's end, as often as it is called: the flags of its job, and an
    endpoint that is to be left alone is disabled. Raises Snooze where the database is busy."""
    try:
        flags.note(delivery)
        disabling.consider(delivery.endpoint, is_gone=is_gone)
    except DatabaseError as error:
        raise Snooze(_LATER_SECONDS) from error


def _loaded(delivery_id: UUID) -> Delivery | None:
    rows = Delivery.objects.select_related("event", "endpoint")
    return rows.filter(pk=delivery_id).first()


def _closed(endpoint: Endpoint) -> str:
    if endpoint.is_of_jobs:
        return ""
    if endpoint.deleted_at:
        return DELETED
    return "" if endpoint.enabled else DISABLED


def _again(
    context: JobContext, endpoint: Endpoint, verdict: Verdict, failures: int
) -> float | None:
    """Seconds until the next attempt; None where there is none."""
    strategy = listener_of(endpoint).strategy
    if verdict.is_final or failures >= strategy.most_attempts:
        return None
    if context.retry_count >= context.max_retries:
        return None
    return max(strategy.wait(failures, _random), verdict.wait or 0.0)
