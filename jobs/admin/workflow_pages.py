"""What the pages about workflows show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from accounts.staff import Staff
from jobs.admin.telling import Moment, moment, short_id
from jobs.models import OnFailure, Workflow
from jobs.states import Status
from jobs.workflows.looking import (
    StepNow,
    WorkflowStatus,
    connected,
    counts_of,
    status_of,
    steps_of,
)

PAGE = 50
MOST_SHOWN = 500  # steps on one page
_DEEPEST = 12  # to which steps are set in
_NAMED = 5  # steps that one waits for
# A running workflow is shown like a running job.
_TONES: Mapping[str, str] = {WorkflowStatus.RUNNING: "processing"}
_TROUBLE = (Status.FAILED, Status.PROCESSING)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A workflow in the list."""

    workflow: Workflow
    link: str
    name: str
    status: str
    tone: str
    counts: Sequence[tuple[str, int]]
    total: int
    created: Moment | None


@dataclass(frozen=True, kw_only=True)
class StepRow:
    """`inset` is drawn before the name: one mark for each step that it is away from the start."""

    name: str
    inset: str
    link: str
    type: str
    status: str
    after: str


def listing(request: HttpRequest, rows: QuerySet[Workflow], person: Staff) -> dict[str, Any]:
    """Newest first; ids sort by time."""
    before = _as_id(request.GET.get("before", ""))
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.select_related("tenant").order_by("-pk")[: PAGE + 1])
    shown, now = found[:PAGE], timezone.now()
    counts = counts_of(shown)
    older = urlencode({"before": str(shown[-1].pk)}) if len(found) > PAGE else ""
    return {
        "rows": [_row(one, counts[one.pk], now) for one in shown],
        "several_tenants": person.everywhere or len(person.tenants(Role.VIEWER) or ()) > 1,
        "older_url": f"?{older}" if older else "",
        "newest_url": reverse("admin:jobs_workflow_changelist") if before else "",
    }


def page(workflow: Workflow) -> dict[str, Any]:
    now = timezone.now()
    steps = steps_of(workflow)
    counts = Counter(step.status.value for step in steps)
    return {
        "workflow": workflow,
        "row": _row(workflow, counts, now),
        "steps": _step_rows(steps),
        "hidden": max(0, len(steps) - MOST_SHOWN),
    }


def _row(workflow: Workflow, counts: Counter[str], now: Any) -> Row:
    status = status_of(counts)
    return Row(
        workflow=workflow,
        link=reverse("admin:jobs_workflow_change", args=[workflow.pk]),
        name=workflow.name or short_id(workflow.pk),
        status=status.value,
        tone=_TONES.get(status, status.value),
        counts=[(name, counts[name]) for name in Status.values if counts[name]],
        total=counts.total(),
        created=moment(workflow.created_at, now),
    )


def _step_rows(steps: Sequence[StepNow]) -> list[StepRow]:
    """In the order of their distance from the first that is shown. Of more than fit those that
    failed or run come first, as they are what people look for."""
    shown = steps
    if len(steps) > MOST_SHOWN:
        shown = sorted(steps, key=lambda step: step.status not in _TROUBLE)[:MOST_SHOWN]
    shown = connected(shown, steps)
    depths = _depths(shown)
    ordered = sorted(shown, key=lambda step: depths[step.name])
    return [_step_row(step, depths[step.name]) for step in ordered]


def _depths(steps: Sequence[StepNow]) -> dict[str, int]:
    """How many of these steps each is away from the start, by its longest way."""
    names = {step.name for step in steps}
    after = {
        step.name: [edge.step for edge in step.after or () if edge.step in names] for step in steps
    }
    depths: dict[str, int] = {}
    for name in TopologicalSorter(after).static_order():
        depths[name] = max((depths[other] + 1 for other in after[name]), default=0)
    return depths


def _step_row(step: StepNow, depth: int) -> StepRow:
    return StepRow(
        name=step.name,
        inset="· " * min(depth, _DEEPEST),
        link=reverse("admin:jobs_job_change", args=[step.job_id]),
        type=step.type,
        status=step.status.value,
        after=_after(step),
    )


def _after(step: StepNow) -> str:
    if step.after is None:
        return "too much to show here"
    named = [
        edge.step if edge.on_failure == OnFailure.CANCEL else f"{edge.step} ({edge.on_failure})"
        for edge in step.after[:_NAMED]
    ]
    more = len(step.after) - len(named)
    if more:
        named.append(f"{more} more")
    if step.depends_on:
        named.append(f"{len(step.depends_on)} outside")
    return ", ".join(named)


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
