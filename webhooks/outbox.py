"""Changes that somebody is to be told of become events, in the transaction of the change.

An exception here undoes the change, on purpose (`jobs.signals`). So this does no more than it must:
it writes the events and hands their deliveries in; nobody outside the database is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from jobs.lifecycle.statement import Move
from jobs.live.entries import event_of
from jobs.models import Job
from webhooks import bodies, fanning_out, flags, handing_in, of_jobs
from webhooks.handing_in import Due
from webhooks.listening import Listener, listeners, listeners_now
from webhooks.models import Event
from webhooks.policies import OF_JOB_WEBHOOKS, EventName

_NAMES = frozenset(EventName.values)
_AT_ONCE = 100  # jobs whose events are made between two statements


@dataclass(frozen=True, kw_only=True)
class _Told:
    """A change of a job, by its name, and the endpoints of the tenant that want it."""

    moved: Move
    name: str
    wanted_by: Sequence[Listener]

    @property
    def calls_own_url(self) -> bool:
        return self.moved.has_webhook and self.name in OF_JOB_WEBHOOKS


def on_job_event(*, moves: Iterable[Move], transition: str, **_: Any) -> None:
    """Receives `jobs.signals.job_event`."""
    by_tenant: dict[int, list[_Told]] = {}
    for moved in moves:
        told = _told(moved, transition)
        if told and (told.wanted_by or told.calls_own_url):
            by_tenant.setdefault(moved.tenant_id, []).append(told)
    for tenant_id, some in by_tenant.items():
        _write(tenant_id, some)


def _told(moved: Move, transition: str) -> _Told | None:
    name = event_of(transition, moved.status)
    if name not in _NAMES:
        return None
    wanted = [
        listener
        for listener in listeners(moved.tenant_id, moved.listening)
        if listener.wants_job(name, moved.type, moved.queue)
    ]
    return _Told(moved=moved, name=name, wanted_by=wanted)


def _write(tenant_id: int, told: Sequence[_Told]) -> None:
    """The events of one tenant's jobs, some at a time: no statement is long in coming."""
    number = sum(len(one.wanted_by) + one.calls_own_url for one in told)
    is_for_later = fanning_out.must_wait(tenant_id, {one.moved.id for one in told}, number)
    for start in range(0, len(told), _AT_ONCE):
        due = _due(tenant_id, told[start : start + _AT_ONCE])
        if is_for_later:
            fanning_out.put_off(due)
        else:
            handing_in.hand_in(tenant_id, due)
    if is_for_later:
        fanning_out.ask(tenant_id)


def _due(tenant_id: int, told: Sequence[_Told]) -> list[Due]:
    jobs = bodies.rows(tenant_id, [one.moved.id for one in told])
    documents = bodies.of_jobs(tenant_id, list(jobs.values()))
    own = of_jobs.listeners_of(tenant_id, _urls(told, jobs))
    due = []
    for one in told:
        job = jobs[one.moved.id]
        event = Event(
            tenant_id=tenant_id,
            name=one.name,
            job_id=job.pk,
            body=bodies.body(one.name, one.moved.moved_at, documents[job.pk]),
        )
        due += [Due(event=event, listener=listener) for listener in one.wanted_by]
        if one.calls_own_url:
            due.append(Due(event=event, listener=own[job.webhook_url]))
    flags.note_due(tenant_id, due, jobs)
    return due


def _urls(told: Iterable[_Told], jobs: Mapping[UUID, Job]) -> set[str]:
    return {jobs[one.moved.id].webhook_url for one in told if one.calls_own_url}


def on_happened(*, event: str, tenant_id: int, data: Mapping[str, Any], **_: Any) -> None:
    """Receives `jobs.signals.happened`."""
    tell(tenant_id, event, data)


def tell(
    tenant_id: int, name: str, data: Mapping[str, Any], *, but_not: UUID | None = None
) -> None:
    """Tell whoever wants it, but not this endpoint, of something that is no change of one job; in
    a transaction."""
    wanted = [
        one for one in listeners_now(tenant_id) if one.wants(name) and one.endpoint_id != but_not
    ]
    if wanted:
        if name == EventName.BATCH_COMPLETED:
            data = bodies.of_batch(tenant_id, data["batch_id"])
        text = bodies.body(name, timezone.now(), data)
        event = Event(tenant_id=tenant_id, name=name, body=text)
        handing_in.hand_in(tenant_id, [Due(event=event, listener=one) for one in wanted])
