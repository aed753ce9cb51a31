"""Queues as objects: made, and given limits, each time with an audit entry.

A limit counts jobs that were sent as well as those that run. So what was sent of a queue whose
limits change is taken back, and sent again as far as the new ones allow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from accounts import audit
from jobs import nudge
from jobs.exceptions import FieldError, InvalidPolicy, QueueExists
from jobs.models import Queue
from jobs.operations import Actor
from jobs.policies import in_flight, rate
from jobs.policies.changes import changing
from jobs.priorities import HIGHEST

LIMITS = ("max_concurrency", "rate_limit", "weight")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_BACK = ("max_concurrency", "rate_limit")  # a weight calls nothing back


def make(name: str, limits: Mapping[str, Any], by: Actor) -> Queue:
    """A new queue. Raises QueueExists, and InvalidPolicy for a name or limit that breaks a rule."""
    if not _NAME.fullmatch(name):
        raise InvalidPolicy([FieldError("/name", "lower-case letters, digits, hyphens, _")])
    queue = _with(Queue(name=name), limits)
    with changing():
        # Inside, a second one of the same name waits for this one's commit.
        if Queue.objects.filter(pk=name).exists():
            raise QueueExists
        queue.save(force_insert=True)
        _record("create", queue, by, after=_told(queue))
    return queue


def change(name: str, limits: Mapping[str, Any], by: Actor) -> Queue:
    """Set those of `LIMITS` that are given; an empty value is no limit. Without a difference
    nothing is written. Raises Queue.DoesNotExist, and InvalidPolicy."""
    with changing():
        queue = Queue.objects.get(pk=name)
        before = _told(queue)
        _with(queue, limits)
        after = _told(queue)
        if after == before:
            return queue
        queue.save(update_fields=list(LIMITS))
        if any(after[limit] != before[limit] for limit in _BACK):
            in_flight.withdraw(Q(queue=name))
        _record("change", queue, by, before=before, after=after)
        transaction.on_commit(lambda: nudge.work_waits(HIGHEST))
    return queue


def _with(queue: Queue, limits: Mapping[str, Any]) -> Queue:
    for limit, value in limits.items():
        setattr(queue, limit, value)
    queue.rate_limit = (queue.rate_limit or "").strip()
    wrong = [*_mistakes(queue), *_mistakes_of_rate(queue.rate_limit)]
    if wrong:
        raise InvalidPolicy(wrong)
    return queue


def _mistakes(queue: Queue) -> list[FieldError]:
    try:
        queue.clean_fields(exclude=["rate_limit", "created_at"])
    except ValidationError as error:
        return [
            FieldError(f"/{field}", " ".join(messages))
            for field, messages in error.message_dict.items()
        ]
    return []


def _mistakes_of_rate(text: str) -> list[FieldError]:
    try:
        rate.parse_or_none(text)
    except ValueError as error:
        return [FieldError("/rate_limit", str(error))]
    return []


def _record(what: str, queue: Queue, by: Actor, **sides: Any) -> None:
    audit.record(
        actor=by.name,
        action=f"queue.{what}",
        object_type="queue",
        object_id=queue.name,
        tenant=None,
        address=by.address,
        **sides,
    )


def _told(queue: Queue) -> dict[str, Any]:
    return {limit: getattr(queue, limit) for limit in LIMITS}
