"""What a person or a program does to a whole workflow, each with its audit entry."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import audit
from jobs import lifecycle, registry, unique
from jobs.exceptions import TransitionRefused
from jobs.files import references
from jobs.models import Job, OnFailure, Workflow
from jobs.operations import Actor
from jobs.states import ACTIVE, Status
from jobs.workflows.looking import counts_of, edges_of

CHUNK = 1000  # jobs cancelled in one transaction

_KEY_TAKEN = "Another active job holds its unique key."
_FILE_GONE = "A file that it names was removed."
_OUTSIDE_ENDED = "A job outside of the workflow, for which it waits, has not completed."
_STAYS_BEHIND = "It waits for a step that stays as it is."


def cancel(workflow: Workflow, by: Actor) -> int:
    """Waiting steps end, running ones are asked to; how many did or were. The last steps first: so
    none is taken to be cancelled because of another. Raises TransitionRefused if all have ended."""
    steps = Job.objects.filter(workflow=workflow, status__in=ACTIVE).order_by("-seq")
    ids = list(steps.values_list("pk", flat=True))
    if not ids:
        raise TransitionRefused("Every step has ended.")
    changed = 0
    for start in range(0, len(ids), CHUNK):
        with transaction.atomic():
            moved = len(lifecycle.cancel_all(ids[start : start + CHUNK], by=by.name))
            if moved:
                _write_down("cancel", workflow, by, {"steps": moved})
        changed += moved
    return changed


@dataclass(frozen=True, kw_only=True)
class Retried:
    """`changed` steps run or wait again; those in `refused` stay as they are, and why."""

    changed: int
    refused: Mapping[str, str] = field(default_factory=dict)


def retry(workflow: Workflow, by: Actor) -> Retried:
    """Run every failed and cancelled step again; each waits, as at first, for those of its
    dependencies that have not completed. What completed is not run again.

    One transaction: between a step that waits and the one it waits for nobody may see the old end.
    Raises TransitionRefused where no step can be run again.
    """
    with transaction.atomic():
        ended = _locked(workflow)
        edges = [(job, other, how) for job, other, how in edges_of(ended)]
        outside = _ended_outside(ended, edges)
        refused = _refused(ended, edges, outside)
        again = {job_id for job_id in ended if job_id not in refused}
        waiting = _waiting(again, edges)
        moved = lifecycle.reblock(sorted(waiting))
        moved += lifecycle.revive_all(sorted(again - {one.id for one in moved}))
        # A step may go on although one of these failed: "run".
        lifecycle.settle_ended(sorted(outside.union(refused)))
        told = {ended[job_id].step: why for job_id, why in refused.items()}
        if not moved:
            raise TransitionRefused(next(iter(told.values()), "No step has failed."))
        _write_down("retry", workflow, by, {"steps": len(moved)})
    return Retried(changed=len(moved), refused=told)


def _locked(workflow: Workflow) -> dict[UUID, Job]:
    """Its failed and cancelled jobs, held until the transaction ends."""
    rows = Job.objects.filter(workflow=workflow, status__in=[Status.FAILED, Status.CANCELLED])
    held = rows.order_by("pk").select_for_update(no_key=True).defer("result", "error")
    return {job.pk: job for job in held}


Edge = tuple[UUID, UUID, str]


def _ended_outside(steps: Collection[UUID], edges: Iterable[Edge]) -> set[UUID]:
    """Jobs for which these steps wait, that failed or were cancelled and are not retried here."""
    others = {other for _, other, _ in edges if other not in steps}
    gone = Job.objects.filter(pk__in=others, status__in=[Status.FAILED, Status.CANCELLED])
    return set(gone.values_list("pk", flat=True))


def _refused(
    ended: Mapping[UUID, Job], edges: Collection[Edge], outside: Collection[UUID]
) -> dict[UUID, str]:
    """Which of them cannot run again, with those that would wait for one of these, or for a job
    that ended outside of the workflow, in vain."""
    refused = {
        job_id: _OUTSIDE_ENDED
        for job_id, other, on_failure in edges
        if other in outside and on_failure != OnFailure.RUN
    }
    refused |= {job_id: why for job_id, job in ended.items() if (why := _why_not(job))}
    first: dict[tuple[str, str], UUID] = {}
    for job_id, job in ended.items():
        if job.unique_key and first.setdefault((job.type, job.unique_key), job_id) != job_id:
            refused[job_id] = _KEY_TAKEN
    behind: dict[UUID, list[UUID]] = {}
    for job_id, other, on_failure in edges:
        if on_failure != OnFailure.RUN:
            behind.setdefault(other, []).append(job_id)
    spreading = list(refused)
    while spreading:
        for job_id in behind.get(spreading.pop(), ()):
            if job_id not in refused:
                refused[job_id] = _STAYS_BEHIND
                spreading.append(job_id)
    return refused


def _why_not(job: Job) -> str:
    if job.unique_key and unique.holder_of(job):
        return _KEY_TAKEN
    if job.type in _taking_files() and not references.still_there(job):
        return _FILE_GONE
    return ""


def _taking_files() -> frozenset[str]:
    return frozenset(kind.name for kind in registry.all() if kind.takes_files)


def _waiting(again: Collection[UUID], edges: Iterable[Edge]) -> set[UUID]:
    """Those that have something to wait for: a job that goes again, or one that has not ended."""
    edges = [edge for edge in edges if edge[0] in again]
    active = Job.objects.filter(pk__in={other for _, other, _ in edges}, status__in=ACTIVE)
    unended = {*again, *active.values_list("pk", flat=True)}
    return {job_id for job_id, other, _ in edges if other in unended}


def _write_down(verb: str, workflow: Workflow, by: Actor, what: Mapping[str, Any]) -> None:
    audit.record_done(
        f"workflow.{verb}",
        workflow,
        by,
        before=None,
        after={**what, "counts": dict(counts_of([workflow])[workflow.pk])},
    )
