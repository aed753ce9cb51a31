"""What a person or a program does to a whole batch: to every job in it that can be, in small
transactions. Said again it does what is left, and nothing where nothing is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts import audit
from jobs import lifecycle, registry
from jobs.files import references
from jobs.lifecycle import Move
from jobs.models import Batch, Job
from jobs.operations import Actor
from jobs.states import TRANSITIONS, Status

CHUNK = 500

Act = Callable[[Sequence[UUID]], list[Move]]


def cancel(batch: Batch, by: Actor) -> int:
    """Waiting jobs end, running ones are asked to; how many were."""
    asked_before = Q(status=Status.PROCESSING, cancel_requested_at__isnull=False)

    def act(ids: Sequence[UUID]) -> list[Move]:
        return lifecycle.cancel_all(ids, by=by.name)

    return _act("cancel", batch, by, ~asked_before, act)


def retry(batch: Batch, by: Actor) -> int:
    """Failed and cancelled jobs run again, but for discarded ones, those whose unique key is
    taken and those whose files were removed; how many do."""
    return _act("retry", batch, by, Q(discarded_at=None), _revive)


_TRANSITION = {"cancel": "cancel", "retry": "revive"}


def _act(verb: str, batch: Batch, by: Actor, condition: Q, act: Act) -> int:
    sources = TRANSITIONS[_TRANSITION[verb]].sources
    jobs = Job.objects.filter(condition, batch=batch, status__in=sorted(sources))
    ids = sorted(jobs.values_list("pk", flat=True))
    changed = 0
    for start in range(0, len(ids), CHUNK):
        with transaction.atomic():
            moved = len(act(ids[start : start + CHUNK]))
            if moved:
                _write_down(verb, batch, by, moved)
        changed += moved
    return changed


def _revive(ids: Sequence[UUID]) -> list[Move]:
    """Locked before anything else: no batch's row is held when a job's is waited for."""
    jobs = Job.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
    taking_files = {kind.name for kind in registry.all() if kind.takes_files}
    return lifecycle.revive_all(
        [
            job.pk
            for job in jobs.defer("result", "error")
            if job.type not in taking_files or references.still_there(job)
        ]
    )


def _write_down(verb: str, batch: Batch, by: Actor, moved: int) -> None:
    """In the transaction that moved so many."""
    audit.record_done(f"batch.{verb}", batch, by, after={"jobs": moved})
