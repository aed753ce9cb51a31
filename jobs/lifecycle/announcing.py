"""The word about a change of status: to apps that listen, and after it to the dispatcher."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from jobs import nudge
from jobs.lifecycle.statement import Move
from jobs.models import Job
from jobs.signals import job_moved
from jobs.states import Status


def tell(moves: list[Move], transition: str) -> None:
    """Call it in the change's transaction; a receiver that fails undoes the change."""
    if moves and job_moved.has_listeners(Job):
        job_moved.send(Job, moves=moves, transition=transition)
    ready = [moved.priority for moved in moves if moved.status == Status.QUEUED]
    if ready:
        transaction.on_commit(partial(nudge.work_waits, max(ready)))
