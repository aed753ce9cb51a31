"""How a workflow stands: its status is what its steps' jobs say together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, TextChoices

from jobs.models import Dependency, Job, OnFailure, Workflow
from jobs.states import ACTIVE, Status
from jobs.workflows.steps import After


class WorkflowStatus(TextChoices):
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


Counts = Mapping[str, int]  # of steps, by the status of their jobs


def status_of(counts: Counts) -> WorkflowStatus:
    """Running while a step may still change; then the worst that became of one."""
    there = {status for status, number in counts.items() if number}
    if there & ACTIVE:
        return WorkflowStatus.RUNNING
    for worst in (Status.FAILED, Status.CANCELLED):
        if worst in there:
            return WorkflowStatus(worst.value)
    return WorkflowStatus.COMPLETED


def counts_of(workflows: Iterable[Workflow]) -> dict[UUID, Counter[str]]:
    """In one query."""
    counts: dict[UUID, Counter[str]] = {workflow.pk: Counter() for workflow in workflows}
    rows = Job.objects.filter(workflow__in=list(counts)).values("workflow", "status")
    for row in rows.annotate(number=Count("pk")).order_by():
        counts[row["workflow"]][row["status"]] = row["number"]
    return counts


@dataclass(frozen=True, kw_only=True)
class StepNow:
    """A step and how its job stands. `after` are steps, `depends_on` jobs outside the workflow."""

    name: str
    job_id: UUID
    type: str
    status: Status
    after: tuple[After, ...]
    depends_on: tuple[UUID, ...]


def steps_of(workflow: Workflow) -> list[StepNow]:
    """In the order in which they were handed in; two queries, however many there are."""
    jobs = Job.objects.filter(workflow=workflow).order_by("seq")
    rows = list(jobs.values_list("pk", "step", "type", "status"))
    names = {job_id: step for job_id, step, *_ in rows}
    after: dict[UUID, list[After]] = {job_id: [] for job_id in names}
    outside: dict[UUID, list[UUID]] = {job_id: [] for job_id in names}
    for job_id, other, on_failure in edges_of(names):
        if other in names:
            after[job_id].append(After(step=names[other], on_failure=OnFailure(on_failure)))
        else:
            outside[job_id].append(other)
    return [
        StepNow(
            name=step,
            job_id=job_id,
            type=type_name,
            status=Status(status),
            after=tuple(after[job_id]),
            depends_on=tuple(outside[job_id]),
        )
        for job_id, step, type_name, status in rows
    ]


def edges_of(job_ids: Collection[UUID]) -> Iterable[tuple[UUID, UUID, str]]:
    """What these jobs wait for: (job, other, on_failure)."""
    edges = Dependency.objects.filter(job__in=list(job_ids)).order_by("pk")
    return edges.values_list("job_id", "depends_on_id", "on_failure")
