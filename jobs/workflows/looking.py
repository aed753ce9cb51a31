"""How a workflow stands: its status is what its steps' jobs say together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.db.models import Count, QuerySet, TextChoices

from jobs.models import Dependency, Job, OnFailure, Workflow
from jobs.states import ACTIVE, Status
from jobs.workflows.steps import After

MOST_EDGES = 5_000  # shown at once: a large workflow has twenty times as many


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
    """A step and how its job stands. `after` are steps, `depends_on` jobs outside the workflow;
    both None where nobody looked, or where there are too many."""

    name: str
    job_id: UUID
    type: str
    status: Status
    after: tuple[After, ...] | None = None
    depends_on: tuple[UUID, ...] | None = None


def steps_of(workflow: Workflow) -> list[StepNow]:
    """In the order in which they were handed in, without what they wait for."""
    jobs = Job.objects.filter(workflow=workflow).order_by("seq")
    return [
        StepNow(name=step, job_id=job_id, type=type_name, status=Status(status))
        for job_id, step, type_name, status in jobs.values_list("pk", "step", "type", "status")
    ]


def connected(shown: Sequence[StepNow], steps: Iterable[StepNow]) -> Sequence[StepNow]:
    """`shown`, some of a workflow's `steps`, with what each waits for; as they were where that is
    more than `MOST_EDGES` in all. One query."""
    edges = edges_of([step.job_id for step in shown])[: MOST_EDGES + 1]
    if len(edges) > MOST_EDGES:
        return shown
    names = {step.job_id: step.name for step in steps}
    after: dict[UUID, list[After]] = {step.job_id: [] for step in shown}
    outside: dict[UUID, list[UUID]] = {step.job_id: [] for step in shown}
    for job_id, other, on_failure in edges:
        if other in names:
            after[job_id].append(After(step=names[other], on_failure=OnFailure(on_failure)))
        else:
            outside[job_id].append(other)
    return [
        replace(step, after=tuple(after[step.job_id]), depends_on=tuple(outside[step.job_id]))
        for step in shown
    ]


def edges_of(job_ids: Collection[UUID]) -> QuerySet[Dependency, tuple[UUID, UUID, str]]:
    """What these jobs wait for: (job, other, on_failure)."""
    edges = Dependency.objects.filter(job__in=list(job_ids)).order_by("pk")
    return edges.values_list("job_id", "depends_on_id", "on_failure")
