"""GET and POST /workflows, GET /workflows/{id}, POST /workflows/{id}/cancel and /retry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Access
from accounts.api import moment
from accounts.api.idempotency import Answer, once
from accounts.api.paging import PARAMETERS, page_of
from accounts.api.view import ApiView, address_of
from accounts.rate_limits.rates import CallKind
from accounts.scopes import Scope
from jobs.api import workflows_describing
from jobs.api.bodies import Body, body_of, optional_body_of
from jobs.api.filters import Filters, condition
from jobs.api.jobs import request_of
from jobs.api.many import TakesMany
from jobs.api.reach import as_id
from jobs.api.workflows_bodies import NewStep, NewWorkflow
from jobs.api.workflows_documents import (
    ChangedWorkflowDocument,
    NewWorkflowDocument,
    WholeWorkflowDocument,
    WorkflowPage,
    new_workflow_document,
    steps_document,
    workflow_document,
)
from jobs.exceptions import FieldError, FieldErrors, InvalidWorkflow, pointer
from jobs.models import Workflow
from jobs.operations import Actor
from jobs.workflows import After, Step, acting, hand_in
from jobs.workflows.acting import Retried
from jobs.workflows.looking import connected, counts_of, steps_of

FILTERS: Filters = {
    "owner": lambda values: Q(owner=values[0]),
    "created_after": lambda values: Q(created_at__gt=moment.parsed(values[0])),
    "created_before": lambda values: Q(created_at__lt=moment.parsed(values[0])),
}


class WorkflowsView(TakesMany):
    scopes = {"GET": Scope.JOBS_READ, "POST": Scope.JOBS_WRITE}
    kinds = {"POST": CallKind.BATCH}
    keyed = True
    parameters = {"GET": PARAMETERS | FILTERS.keys()}

    @extend_schema(
        operation_id="list_workflows", tags=["workflows"], summary="List workflows, newest first",
        parameters=workflows_describing.FILTERS, responses=WorkflowPage,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        page = page_of(request, self.access)
        rows = _workflows_of(self.access).filter(condition(request.query_params, FILTERS))
        if page.after is not None:
            rows = rows.filter(pk__lt=page.after)
        found = list(rows.order_by("-pk")[: page.limit + 1])  # ids sort by time
        counts = counts_of(found)
        return Response(
            page.answer(
                found,
                key=lambda workflow: str(workflow.pk),
                present=lambda one: workflow_document(one, counts[one.pk], self.access),
            )
        )

    @extend_schema(
        operation_id="create_workflow", tags=["workflows"],
        summary="Hand in jobs that wait for each other",
        parameters=workflows_describing.CREATION, request=NewWorkflow,
        examples=workflows_describing.NEW_WORKFLOWS, responses={201: NewWorkflowDocument},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        body, access = body_of(NewWorkflow, request).judged(), self.access
        answer = once(request, access, lambda: _create(body, access))
        headers = {**answer.headers, "Location": f"{request.path}/{answer.body['workflow_id']}"}
        return Response(answer.body, status=answer.status, headers=headers)


class WorkflowView(ApiView):
    scopes = {"GET": Scope.JOBS_READ}

    @extend_schema(
        operation_id="get_workflow", tags=["workflows"], summary="One workflow with its steps",
        responses=WholeWorkflowDocument,
    )  # fmt: skip
    def get(self, request: Request, workflow_id: str) -> Response:
        workflow = _workflow_of(self.access, workflow_id)
        every = steps_of(workflow)
        steps = connected(every, every)
        told = {
            "steps": steps_document(steps),
            "edges_left_out": any(step.after is None for step in steps),
        }
        return Response({**_shown(workflow, self.access), **told})


class _Nothing(Body):
    """No fields."""


class _WorkflowAction(ApiView):
    """One verb on a whole workflow, in transactions of its own."""

    scopes = {"POST": Scope.JOBS_WRITE}
    kinds = {"POST": CallKind.BATCH}

    def perform(
        self, request: Request, workflow_id: str, verb: Callable[[Workflow, Actor], Retried]
    ) -> Response:
        optional_body_of(_Nothing, request)
        by = Actor(name=self.access.principal.actor, address=address_of(request))
        workflow = _workflow_of(self.access, workflow_id)
        done = verb(workflow, by)
        told = {"changed": done.changed, "refused": dict(done.refused)}
        return Response({**_shown(workflow, self.access), **told})


class CancelWorkflowView(_WorkflowAction):
    @extend_schema(
        operation_id="cancel_workflow", tags=["workflows"],
        summary="Cancel every step of a workflow that waits or runs",
        request=None, responses=ChangedWorkflowDocument,
    )  # fmt: skip
    def post(self, request: Request, workflow_id: str) -> Response:
        return self.perform(
            request, workflow_id, lambda one, by: Retried(changed=acting.cancel(one, by))
        )


class RetryWorkflowView(_WorkflowAction):
    @extend_schema(
        operation_id="retry_workflow", tags=["workflows"],
        summary="Run the failed and cancelled steps of a workflow again",
        request=None, responses=ChangedWorkflowDocument,
    )  # fmt: skip
    def post(self, request: Request, workflow_id: str) -> Response:
        return self.perform(request, workflow_id, acting.retry)


def _workflows_of(access: Access) -> QuerySet[Workflow]:
    rows: QuerySet[Workflow] = access.narrow(Workflow.objects.all())
    return rows if access.tenant else rows.select_related("tenant")


def _workflow_of(access: Access, workflow_id: str) -> Workflow:
    """Raises NotFound, the same for a malformed, a missing and a foreign id."""
    workflow = _workflows_of(access).filter(pk=as_id(workflow_id)).first()
    if workflow is None:
        raise NotFound
    return workflow


def _shown(workflow: Workflow, access: Access) -> dict[str, Any]:
    return workflow_document(workflow, counts_of([workflow])[workflow.pk], access)


def _create(body: NewWorkflow, access: Access) -> Answer:
    bound = access.principal.owner
    if bound and body.owner not in (None, bound):
        raise PermissionDenied("This token makes jobs of its own owner only.")
    made = hand_in(
        access.one_tenant,
        body.name,
        {name: _step(name, step, access) for name, step in body.steps.items()},
        owner=bound or body.owner or "",
        created_by=access.principal.actor,
    )
    return Answer(status=status.HTTP_201_CREATED, body=new_workflow_document(made))


def _step(name: str, body: NewStep, access: Access) -> Step:
    try:
        asked = request_of(body, access)
    except FieldErrors as error:
        at = pointer("steps", name)
        raise InvalidWorkflow(
            [FieldError(at + one.pointer, one.detail) for one in error.errors]
        ) from None
    return Step(
        type_name=asked.type_name,
        payload=asked.payload,
        options=asked.options,
        after=[After(step=edge.step, on_failure=edge.on_failure) for edge in body.after],
    )
