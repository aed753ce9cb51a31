"""What a worker process knows of itself. Made in the main before it forks; children inherit it."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError
from django.db.models import F

from jobs.models import Worker
from jobs.worker.child import Child, start_child
from jobs.worker.crew import Crew
from jobs.worker.identity import WorkerIdentity
from jobs.worker.slots import Slots

_identity: WorkerIdentity | None = None
_slots: Slots | None = None
_child: Child | None = None
_crew: Crew | None = None


def become_worker(name: str, slot_count: int) -> tuple[WorkerIdentity, Slots]:
    """Called in the main process before its pool starts."""
    global _identity, _slots
    _identity = WorkerIdentity(name=name, lease_seconds=settings.LEASE_SECONDS)
    _slots = Slots(slot_count)
    return _identity, _slots


def become_child() -> None:
    """Called in each child after the fork."""
    global _child
    if _identity is None or _slots is None:
        raise RuntimeError("no worker was set up in the main process")
    _child = start_child(_identity, _slots)


def become_crew(stops_at: Callable[[], float]) -> None:
    """Called in the main process where it is to run jobs itself, in threads."""
    global _crew
    if _identity is None or _slots is None:
        raise RuntimeError("no worker was set up in the main process")
    _crew = Crew(_identity, _slots, stops_at)
    _crew.watch()


def child() -> Child:
    """That of this process, or of this thread."""
    if _crew is not None:
        return _crew.child()
    if _child is None:
        raise RuntimeError("this process runs no jobs")
    return _child


def count_dropped_message() -> None:
    """Best effort: the message is dropped and logged either way."""
    if _identity is not None:
        try:
            Worker.objects.filter(pk=_identity.name).update(
                dropped_messages=F("dropped_messages") + 1
            )
        except DatabaseError:
            return
