"""What a platform admin does to one worker: a wish in its row and an audit entry, together.

REST, the admin and the command are doors to these verbs. The worker reads the wish within two
seconds; the dispatcher sends nothing more for it from the moment of asking. Each raises
`Worker.DoesNotExist` for a name that no worker of late had, `TransitionRefused` where the worker
cannot do it, and returns the row as it then is.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from accounts import audit
from jobs import nudge
from jobs.exceptions import TransitionRefused
from jobs.models import Wish, Worker
from jobs.operations import Actor
from jobs.priorities import HIGHEST
from jobs.stats.workers import SHOWN, SILENT

_ENDING = frozenset({Wish.STOP, Wish.RESTART})
_ACTIONS = {
    Wish.PAUSE: "worker.pause",
    Wish.RUN: "worker.resume",
    Wish.STOP: "worker.shutdown",
    Wish.RESTART: "worker.restart",
}


def pause(name: str, by: Actor) -> Worker:
    """Take no further job. What runs goes on."""
    return _ask(name, Wish.PAUSE, by)


def resume(name: str, by: Actor) -> Worker:
    """Take jobs again."""
    worker = _ask(name, Wish.RUN, by)
    transaction.on_commit(lambda: nudge.work_waits(HIGHEST))
    return worker


def shutdown(name: str, by: Actor) -> Worker:
    """End the jobs that run, then the worker; it stays down."""
    return _ask(name, Wish.STOP, by)


def restart(name: str, by: Actor) -> Worker:
    """The same, and it comes back under its name, not paused."""
    return _ask(name, Wish.RESTART, by)


def _ask(name: str, wish: Wish, by: Actor) -> Worker:
    """A worker that is asked what it is asked already stays as it is."""
    with transaction.atomic():
        worker = _locked(name)
        before = worker.wish
        _refuse_what_cannot_be(worker, wish)
        if before != wish:
            Worker.objects.filter(pk=worker.pk).update(wish=wish, wished_at=Now())
            worker.refresh_from_db()
            _record(worker, before, by)
    return worker


def _locked(name: str) -> Worker:
    if "\x00" in name:
        raise Worker.DoesNotExist
    rows: Any = Worker.objects.select_for_update(no_key=True)
    worker: Worker = rows.filter(SHOWN).get(pk=name)
    return worker


def _refuse_what_cannot_be(worker: Worker, wish: Wish) -> None:
    if Worker.objects.filter(SILENT, pk=worker.pk).exists():
        raise TransitionRefused("The worker is lost: it does not report itself.")
    if worker.wish in _ENDING:
        if wish not in _ENDING:
            raise TransitionRefused("The worker is asked to stop already.")
    elif worker.stopping:
        raise TransitionRefused("The worker is about to stop.")


def _record(worker: Worker, before: str, by: Actor) -> None:
    audit.record(
        actor=by.name,
        action=_ACTIONS[Wish(worker.wish)],
        object_type="worker",
        object_id=worker.pk,
        tenant=None,
        address=by.address,
        before={"wish": before},
        after={"wish": worker.wish},
    )
