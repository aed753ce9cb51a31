"""GET /failures and /failures/{fingerprint}, POST /failures/{fingerprint}/retry and /discard: dead
letters by group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from pydantic import BaseModel
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Access
from accounts.api.moment import shown
from accounts.api.paging import PARAMETERS, page_of
from accounts.api.view import ApiView
from accounts.rate_limits.rates import CallKind
from accounts.scopes import Scope
from jobs import bulk, bulk_verbs, failures
from jobs.api import describing
from jobs.api.bodies import optional_body_of
from jobs.api.bulk import call_of
from jobs.api.bulk_bodies import BulkDocument, DryRun, bulk_document
from jobs.api.filters import condition
from jobs.bulk import Verb
from jobs.failures import Group, Wanted

V = TypeVar("V", bound="type[_GroupAction]")


class SampleDocument(BaseModel):
    """The job of the group that was handed in last."""

    id: UUID
    queue: str
    message: str
    completed_at: datetime


class FailureDocument(BaseModel):
    """Dead letters of one kind. `frames`, the functions that the error came through, are shown to
    the scope `admin` only. A count of 10,000 that is not exact means more."""

    fingerprint: str
    type: str
    exception: str
    frames: list[str] | None
    count: int
    count_exact: bool
    first: datetime
    last: datetime
    sample: SampleDocument
    tenant: str | None = None


class FailurePage(BaseModel):
    items: list[FailureDocument]
    next_cursor: str | None


class FailuresView(ApiView):
    scopes = {"GET": Scope.JOBS_READ}
    parameters = {"GET": PARAMETERS | {"type", "queue"}}

    @extend_schema(
        operation_id="list_failures", tags=["failures"], summary="Dead letters by kind of failure",
        description="The group whose newest job was handed in last comes first.",
        parameters=[
            *describing.PAGES,
            OpenApiParameter("type", str, description="Groups of this type."),
            OpenApiParameter("queue", str, description="Groups whose newest job is in this queue."),
        ],
        responses=FailurePage,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        page = page_of(request, self.access)
        condition(request.query_params)  # refuses what no job could have
        wanted = replace(
            wanted_of(self.access),
            type=request.query_params.get("type", ""),
            queue=request.query_params.get("queue", ""),
            before=page.after,
        )
        groups = failures.groups_of(wanted, page.limit + 1)
        answer = page.answer(
            groups,
            key=lambda group: group.sample.seq,
            present=lambda group: failure_document(group, self.access),
        )
        return Response(answer)


class FailureView(ApiView):
    scopes = {"GET": Scope.JOBS_READ}

    @extend_schema(
        operation_id="get_failure", tags=["failures"], summary="One kind of failure",
        responses=FailureDocument,
    )  # fmt: skip
    def get(self, request: Request, fingerprint: str) -> Response:
        return Response(failure_document(group_of(self.access, fingerprint), self.access))


class _GroupAction(ApiView):
    """One verb on all dead letters of a group."""

    scopes = {"POST": Scope.JOBS_WRITE}
    kinds = {"POST": CallKind.BATCH}

    def post(self, request: Request, fingerprint: str) -> Response:
        body = optional_body_of(DryRun, request)
        group = group_of(self.access, fingerprint)
        call = call_of(request, self.access, dry_run=body.dry_run)
        return Response(bulk_document(bulk.group(self.verb(), group.name, call)))

    def verb(self) -> Verb:
        raise NotImplementedError


def _described(name: str, summary: str) -> Callable[[V], V]:
    return extend_schema_view(
        post=extend_schema(
            operation_id=name, summary=summary, tags=["failures"], request=DryRun,
            responses=BulkDocument, extensions=describing.MAY_BE_EMPTY,
            description="At most 1,000 jobs a call; `more` says whether there are others.",
        )
    )  # fmt: skip


@_described("retry_failure", "Run all jobs that failed alike again")
class RetryFailureView(_GroupAction):
    def verb(self) -> Verb:
        return bulk_verbs.retry()


@_described("discard_failure", "Discard all jobs that failed alike")
class DiscardFailureView(_GroupAction):
    def verb(self) -> Verb:
        return bulk_verbs.discard()


def wanted_of(access: Access) -> Wanted:
    tenants = [access.tenant.pk] if access.tenant else None
    return Wanted(tenants=tenants, owner=access.principal.owner)


def group_of(access: Access, name: str) -> Group:
    """Raises NotFound where no dead letter in reach is of this kind."""
    wanted = replace(wanted_of(access), fingerprint=failures.column_of(name))
    groups = failures.groups_of(wanted, 1)
    if not groups:
        raise NotFound
    return groups[0]


def failure_document(group: Group, access: Access) -> dict[str, Any]:
    sample = group.sample
    document = {
        "fingerprint": group.name,
        "type": sample.type,
        "exception": group.exception,
        "frames": group.frames if access.may(Scope.ADMIN) else None,
        "count": group.count.number,
        "count_exact": group.count.exact,
        "first": shown(group.first),
        "last": shown(group.last),
        "sample": {
            "id": str(sample.pk),
            "queue": sample.queue_id,
            "message": group.message,
            "completed_at": shown(sample.completed_at),
        },
    }
    return document if access.tenant else {**document, "tenant": sample.tenant.slug}
