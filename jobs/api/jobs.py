"""GET and POST /jobs, GET and PATCH /jobs/{id}."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from structlog.contextvars import bind_contextvars

from accounts.access import Access
from accounts.api.idempotency import Answer, once
from accounts.api.paging import PARAMETERS, page_of
from accounts.api.view import ApiView, address_of
from accounts.rate_limits.rates import CallKind
from accounts.scopes import Scope
from jobs import editing
from jobs.api import describing, prefer
from jobs.api.bodies import Edit, HowToRun, NewJob, body_of
from jobs.api.documents import JobDocument, JobPage
from jobs.api.filters import FILTERS, condition
from jobs.api.presenting import job_documents, placed_document
from jobs.api.reach import job_of, jobs_of
from jobs.backoff import Backoff
from jobs.enqueue import DependsOn, Enqueued, JobOptions, JobRequest, enqueue
from jobs.exceptions import FieldError, InvalidOptions, UniqueKeyTaken
from jobs.models import Job
from jobs.operations import Actor


class JobsView(ApiView):
    scopes = {"GET": Scope.JOBS_READ, "POST": Scope.JOBS_WRITE}
    kinds = {"POST": CallKind.CREATE}
    keyed = True
    parameters = {"GET": PARAMETERS | FILTERS.keys()}

    @extend_schema(
        operation_id="list_jobs", tags=["jobs"], summary="List jobs, newest first",
        parameters=describing.FILTERS, responses=JobPage,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        page = page_of(request, self.access)
        # Only a tenant's jobs have an index by `seq`; ids sort by time as well.
        order = "seq" if self.access.tenant else "pk"
        rows = jobs_of(self.access).filter(condition(request.query_params))
        if page.after is not None:
            rows = rows.filter(Q((f"{order}__lt", page.after)))
        return Response(
            page.answer_together(
                rows.order_by(f"-{order}")[: page.limit + 1],
                key=lambda job: job.seq if self.access.tenant else str(job.pk),
                present=lambda jobs: job_documents(jobs, self.access),
            )
        )

    @extend_schema(
        operation_id="create_job", tags=["jobs"], summary="Hand in a job",
        parameters=describing.CREATION, request=NewJob, examples=describing.NEW_JOBS,
        responses={201: describing.CREATED, 200: describing.DEDUPLICATED},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        body, access = body_of(NewJob, request).judged(), self.access
        answer = once(request, access, lambda: _create(body, access))
        headers, document = answer.headers, answer.body
        bind_contextvars(job_id=document["id"])  # for the request's line in the log
        seconds = prefer.wanted_seconds(request)
        if seconds and prefer.wait_for_end(document["id"], seconds):
            document = {**document, **shown_job(job_of(access, document["id"]), access)}
            headers = {**headers, "Preference-Applied": f"wait={seconds}"}
        headers = {**headers, "Location": f"{request.path}/{document['id']}"}
        return Response(document, status=answer.status, headers=headers)


class JobView(ApiView):
    scopes = {"GET": Scope.JOBS_READ, "PATCH": Scope.JOBS_WRITE}

    @extend_schema(operation_id="get_job", tags=["jobs"], summary="One job", responses=JobDocument)
    def get(self, request: Request, job_id: str) -> Response:
        return Response(shown_job(job_of(self.access, job_id), self.access))

    @extend_schema(
        operation_id="edit_job", tags=["jobs"], summary="Change a waiting or failed job",
        request=Edit, responses=JobDocument, examples=describing.EDITS,
    )  # fmt: skip
    def patch(self, request: Request, job_id: str) -> Response:
        by = Actor(name=self.access.principal.actor, address=address_of(request))
        with transaction.atomic():
            job = job_of(self.access, job_id)
            editing.edit(job, by, body_of(Edit, request).changes)
            after = job_of(self.access, job.pk)
        return Response(shown_job(after, self.access))


def shown_job(job: Job, access: Access) -> dict[str, Any]:
    """One job with its place in the queue."""
    return placed_document(job, access)


def _create(body: NewJob, access: Access) -> Answer:
    options = _options(body, access)
    made = enqueue(access.one_tenant, body.type, body.payload, options)
    if not made.created:
        return Answer(status=status.HTTP_200_OK, body=_holder(made, access))
    # An edge may have moved the job already; without one the row is as it was inserted.
    job = job_of(access, made.job.pk) if body.depends_on else made.job
    return Answer(status=status.HTTP_201_CREATED, body=shown_job(job, access))


def _holder(made: Enqueued, access: Access) -> dict[str, Any]:
    """The job with the unique key, unless it is of an owner whom this token may not see."""
    if access.principal.owner not in ("", made.job.owner):
        raise UniqueKeyTaken
    shown = {**shown_job(job_of(access, made.job.pk), access), "deduplicated": True}
    return {**shown, "replaced": True} if made.replaced else shown


def request_of(body: NewJob, access: Access, visible: Collection[UUID] | None = None) -> JobRequest:
    """What the body asks for, as this caller may ask for it; `visible` as `visible_among` says."""
    options = _options(body, access, visible)
    return JobRequest(type_name=body.type, payload=body.payload, options=options)


def visible_among(bodies: Iterable[HowToRun], access: Access) -> set[UUID] | None:
    """Those of the jobs to wait for that the caller can see, looked up once for all bodies; None
    where it sees all that its tenant has."""
    if not access.principal.owner:
        return None
    asked = {edge.job_id for body in bodies for edge in body.depends_on}
    if not asked:
        return asked
    return set(access.narrow(Job.objects.filter(pk__in=asked)).values_list("pk", flat=True))


def _options(body: NewJob, access: Access, visible: Collection[UUID] | None = None) -> JobOptions:
    return JobOptions(
        queue=body.queue,
        priority=body.priority,
        run_at=body.run_at,
        delay_seconds=body.delay_seconds,
        expires_at=body.expires_at,
        max_retries=body.max_retries,
        retry_backoff=Backoff(**dict(body.retry_backoff)) if body.retry_backoff else None,
        timeout_seconds=body.timeout_seconds,
        unique_key=body.unique_key or "",
        unique_for_seconds=body.unique_for_seconds,
        on_duplicate=body.on_duplicate,
        debounce_seconds=body.debounce_seconds,
        debounce_max_seconds=body.debounce_max_seconds,
        labels=body.labels,
        depends_on=_visible_edges(body, access, visible),
        estimated_duration_seconds=body.estimated_duration_seconds,
        owner=_owner(body.owner, access),
        created_by=access.principal.actor,
        webhook_url=body.webhook_url or "",
    )


def _owner(asked: str | None, access: Access) -> str:
    bound = access.principal.owner
    if bound and asked not in (None, bound):
        raise PermissionDenied("This token makes jobs of its own owner only.")
    return bound or asked or ""


def _visible_edges(
    body: NewJob, access: Access, visible: Collection[UUID] | None
) -> list[DependsOn]:
    """A job that the caller cannot see cannot be waited for, and is not told from a missing one."""
    edges = [DependsOn(job_id=edge.job_id, on_failure=edge.on_failure) for edge in body.depends_on]
    if edges and access.principal.owner:
        seen = visible_among([body], access) if visible is None else visible
        missing = [str(edge.job_id) for edge in edges if edge.job_id not in (seen or ())]
        if missing:
            raise InvalidOptions([FieldError("/depends_on", f"not found: {', '.join(missing)}")])
    return edges
