"""What a person or a program does to one job: a transition and its audit entry, together.

REST, the admin and the commands are doors to these verbs. Each locks and changes one row, raises
`TransitionRefused` where the job's status does not allow it, and returns the job as it then is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import transaction

from accounts import audit
from jobs import lifecycle
from jobs.exceptions import TransitionRefused
from jobs.files import references
from jobs.models import Job
from jobs.new_payload import columns_with


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who does it: `user:NAME`, `token:NAME`, `command:USER`, and from which address."""

    name: str
    address: str | None = None


def cancel(job: Job, by: Actor) -> Job:
    """A waiting job ends at once; a running one is asked to end."""
    return _perform("cancel", job, by, lambda: lifecycle.cancel(job.pk, by=by.name))


def retry(job: Job, by: Actor, *, payload: Mapping[str, Any] | None = None) -> Job:
    """Run a failed or cancelled job again, with another payload if one is given.

    Without one, a job is refused whose files were removed since it ended.
    Raises UnknownJobType, InvalidPayload or PayloadTooLarge for a new payload that does not fit.
    """
    if payload is None:
        return _perform("retry", job, by, lambda: run_again(job))
    with transaction.atomic():
        rows = Job.objects.select_for_update(of=("self",), no_key=True)  # secrets may stay
        before = rows.select_related("tenant").get(pk=job.pk)
        again = partial(lifecycle.revive, job.pk, **columns_with(before, payload))
        after = _perform("retry", job, by, again)
        references.note_uses_anew(after)
    return after


def boost(job: Job, by: Actor, *, amount: int) -> Job:
    """Raise a waiting job's priority, at most to what its tenant's plan allows."""
    highest = job.tenant.plan.highest_priority
    return _perform("boost", job, by, lambda: lifecycle.boost(job.pk, by=amount, highest=highest))


def run_now(job: Job, by: Actor) -> Job:
    """Queue a scheduled job without waiting for its time."""
    return _perform("run-now", job, by, lambda: _promote(job))


def discard(job: Job, by: Actor) -> Job:
    """Take an ended job out of the dead letters."""
    return _perform("discard", job, by, lambda: lifecycle.discard(job.pk))


def put_back(job: Job, by: Actor) -> Job:
    """Take a stuck job from the worker that holds it, into its queue again."""
    error = put_back_by(by)
    return _perform("put-back", job, by, lambda: lifecycle.force_queue(job.pk, error=error))


def give_up(job: Job, by: Actor) -> Job:
    """Take a stuck job from the worker that holds it, and end it as failed."""
    error = given_up_by(by)
    return _perform("give-up", job, by, lambda: lifecycle.force_fail(job.pk, error=error))


def put_back_by(by: Actor) -> dict[str, Any]:
    """What a job keeps as its attempt's error."""
    message = f"Put back into the queue by {by.name}."
    return {"type": "put_back", "message": message, "details": {}}


def given_up_by(by: Actor) -> dict[str, Any]:
    return {"type": "given_up", "message": f"Ended as failed by {by.name}.", "details": {}}


def run_again(job: Job) -> None:
    """The bare verb behind `retry`. Raises TransitionRefused also where a file is gone."""
    lifecycle.revive(job.pk)
    if not references.still_there(Job.objects.get(pk=job.pk)):
        raise TransitionRefused("A file that the job names was removed. Give it another payload.")


def _promote(job: Job) -> None:
    if not lifecycle.promote_now(job.pk):
        raise TransitionRefused


def _perform(verb: str, job: Job, by: Actor, change: Callable[[], object]) -> Job:
    with transaction.atomic():
        before = Job.objects.get(pk=job.pk)
        change()
        after = Job.objects.get(pk=job.pk)
        audit.record_done(f"job.{verb}", job, by, before=_told(before), after=_told(after))
    return after


def _told(job: Job) -> dict[str, Any]:
    return {"status": job.status, "priority": job.priority}
