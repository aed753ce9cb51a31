"""What the calls about workflows answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from accounts.access import Access
from accounts.api.moment import shown
from jobs.models import OnFailure, Workflow
from jobs.states import Status
from jobs.workflows import After, HandedIn
from jobs.workflows.looking import Counts, StepNow, WorkflowStatus, status_of


class NewWorkflowDocument(BaseModel):
    """The id of each step's job, by the step's name."""

    workflow_id: UUID
    steps: dict[str, UUID]


class WorkflowDocument(BaseModel):
    """Jobs that wait for each other. `failed` or `cancelled`: every step has ended, and so did at
    least one of them. `tenant` is there where all tenants were asked for."""

    id: UUID
    name: str
    owner: str | None
    status: WorkflowStatus
    total: int
    counts: dict[Status, int]
    created_at: datetime
    created_by: str | None
    tenant: str | None = None


class AfterDocument(BaseModel):
    step: str
    on_failure: OnFailure


class StepDocument(BaseModel):
    """A step and how its job stands. In `after` stand also the steps whose results it takes.
    `after` and `depends_on` are null where the workflow has too many; each job tells its own."""

    job_id: UUID
    type: str
    status: Status
    after: list[AfterDocument] | None
    depends_on: list[UUID] | None


class WholeWorkflowDocument(WorkflowDocument):
    """`edges_left_out`: what the steps wait for is too much for one answer."""

    steps: dict[str, StepDocument]
    edges_left_out: bool


class ChangedWorkflowDocument(WorkflowDocument):
    """`changed`: how many steps were. `refused`: those that cannot run again, and why."""

    changed: int
    refused: dict[str, str]


class WorkflowPage(BaseModel):
    items: list[WorkflowDocument]
    next_cursor: str | None


def new_workflow_document(made: HandedIn) -> dict[str, Any]:
    steps = {name: str(job.pk) for name, job in made.jobs.items()}
    return {"workflow_id": str(made.workflow.pk), "steps": steps}


def workflow_document(workflow: Workflow, counts: Counts, access: Access) -> dict[str, Any]:
    document = {
        "id": str(workflow.pk),
        "name": workflow.name,
        "owner": workflow.owner or None,
        "status": str(status_of(counts)),
        "total": sum(counts.values()),
        "counts": {status.value: counts.get(status, 0) for status in Status},
        "created_at": shown(workflow.created_at),
        "created_by": workflow.created_by or None,
    }
    if access.tenant is None:
        document["tenant"] = workflow.tenant.slug
    return document


def steps_document(steps: Sequence[StepNow]) -> Mapping[str, Any]:
    return {
        step.name: {
            "job_id": str(step.job_id),
            "type": step.type,
            "status": str(step.status),
            "after": None if step.after is None else [_edge(one) for one in step.after],
            "depends_on": None if step.depends_on is None else list(map(str, step.depends_on)),
        }
        for step in steps
    }


def _edge(after: After) -> dict[str, str]:
    return {"step": after.step, "on_failure": str(after.on_failure)}
