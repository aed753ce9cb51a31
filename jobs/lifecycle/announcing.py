"""The word about a change of status: to apps that listen; and after the commit to those who
watch, and to the dispatcher."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from jobs import nudge, registry
from jobs.lifecycle.statement import Move
from jobs.live import telling
from jobs.models import Job
from jobs.signals import job_event, job_moved
from jobs.states import Status

_WITHOUT_SUCCESS = frozenset({Status.FAILED, Status.CANCELLED})


def tell(moves: list[Move], transition: str) -> None:
    """Call it in the change's transaction; a receiver that fails undoes the change."""
    send(moves, transition)
    telling.moved(moves, transition)
    ready = [moved.priority for moved in moves if moved.status == Status.QUEUED]
    if ready:
        transaction.on_commit(partial(nudge.work_waits, max(ready)))


def send(moves: list[Move], transition: str) -> None:
    """The signals alone."""
    if moves and job_moved.has_listeners(Job):
        job_moved.send(Job, moves=moves, transition=transition)
    if heard := [moved for moved in moves if moved.is_heard or _failed_of_ours(moved)]:
        job_event.send(Job, moves=heard, transition=transition)


def _failed_of_ours(moved: Move) -> bool:
    return moved.status in _WITHOUT_SUCCESS and registry.is_internal(moved.type)
