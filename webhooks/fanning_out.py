"""Events for very many are written first and told later: their deliveries are made by an internal
job, a few hundred in each transaction, so that no change of a job waits for thousands of rows.

An event that follows one which is yet to be told of, of the same job, waits as well: so the order
in which an endpoint hears of a job stays what it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID

from django.db import transaction

from jobs import JobContext, internal
from jobs.enqueue import JobRequest
from jobs.lifecycle.statement import bound_waits
from webhooks import handing_in
from webhooks.handing_in import Due
from webhooks.listening import listener_of
from webhooks.models import Endpoint, Event
from webhooks.policies import FAN_OUT

MOST_AT_ONCE = 200  # deliveries that a change makes itself
_IN_A_TRANSACTION = 500


def must_wait(tenant_id: int, job_ids: Collection[UUID], number: int) -> bool:
    """Whether so many deliveries, which tell of these jobs, are for later."""
    waiting = Event.objects.filter(tenant=tenant_id, job_id__in=job_ids, due__isnull=False)
    return number > MOST_AT_ONCE or waiting.exists()


def put_off(due: Sequence[Due]) -> None:
    """Write the events, and who is to be told of each."""
    endpoints: dict[UUID, list[UUID]] = defaultdict(list)
    for one in due:
        endpoints[one.event.pk].append(one.listener.endpoint_id)
    events = {one.event.pk: one.event for one in due}
    for event in events.values():
        event.due = endpoints[event.pk]
    Event.objects.bulk_create(events.values())


def ask(tenant_id: int) -> None:
    """See to it that what was put off is told, in the caller's transaction."""
    internal.hand_in(tenant_id, [JobRequest(type_name=FAN_OUT, payload={"tenant_id": tenant_id})])


def fan_out(context: JobContext, tenant_id: int) -> int:
    """Make the deliveries of all that was put off, oldest event first. Returns how many."""
    number = 0
    while made := _some(tenant_id):
        number += made
        context.raise_if_cancelled()
    return number


def _some(tenant_id: int) -> int:
    """The next few hundred, and how many they were."""
    with transaction.atomic():
        bound_waits()
        waiting = Event.objects.filter(tenant=tenant_id, due__isnull=False).defer("body")
        oldest = waiting.order_by("created_at", "pk").select_for_update(no_key=True)
        pairs: list[tuple[Event, UUID]] = []
        for event in oldest[:_IN_A_TRANSACTION]:
            now = (event.due or [])[: _IN_A_TRANSACTION - len(pairs)]
            if not now:
                break
            pairs += [(event, endpoint_id) for endpoint_id in now]
            left = (event.due or [])[len(now) :]
            Event.objects.filter(pk=event.pk).update(due=left or None)
        handing_in.tell(tenant_id, _dues(pairs))
    return len(pairs)


def _dues(pairs: Sequence[tuple[Event, UUID]]) -> list[Due]:
    """Of an endpoint that is no more there is nothing to tell."""
    rows = Endpoint.objects.in_bulk({endpoint_id for _, endpoint_id in pairs})
    listeners = {pk: listener_of(row) for pk, row in rows.items()}
    return [
        Due(event=event, listener=listeners[endpoint_id])
        for event, endpoint_id in pairs
        if endpoint_id in listeners
    ]
