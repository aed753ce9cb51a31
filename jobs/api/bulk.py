"""POST /jobs/bulk/VERB and PUT /jobs/bulk/status: one verb on many jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Access
from accounts.api.view import ApiView, address_of
from accounts.rate_limits.rates import CallKind
from accounts.scopes import Scope
from jobs import bulk, bulk_verbs
from jobs.api.bodies import body_of
from jobs.api.bulk_bodies import (
    BulkDocument,
    Chosen,
    ChosenToBoost,
    NewStatus,
    bulk_document,
    condition_of,
)
from jobs.bulk import Call, Done, Verb
from jobs.models import Job
from jobs.operations import Actor
from jobs.states import Status

V = TypeVar("V", bound="type[_BulkAction]")


def call_of(request: Request, access: Access, *, dry_run: bool) -> Call:
    """Over the jobs that this request may reach."""
    by = Actor(name=access.principal.actor, address=address_of(request))
    rows = access.narrow(Job.objects.all())
    return Call(rows=rows, tenant=access.one_tenant, by=by, dry_run=dry_run)


class _BulkAction(ApiView):
    """One verb on the jobs that the body chooses."""

    scopes = {"POST": Scope.JOBS_WRITE}
    kinds = {"POST": CallKind.BATCH}
    body: type[Chosen] = Chosen

    def post(self, request: Request) -> Response:
        body = body_of(self.body, request)
        call = call_of(request, self.access, dry_run=body.dry_run)
        return Response(bulk_document(_done(self.verb(body, call), body, call)))

    def verb(self, body: Any, call: Call) -> Verb:
        raise NotImplementedError


def _done(verb: Verb, body: Chosen, call: Call) -> Done:
    if body.job_ids is not None:
        return bulk.by_ids(verb, body.job_ids, call)
    asked = body.filter or {}
    return bulk.by_filter(verb, condition_of(asked), call, told={"filter": asked})


def _described(name: str, summary: str, request: type[Chosen] = Chosen) -> Callable[[V], V]:
    return extend_schema_view(
        post=extend_schema(
            operation_id=name, summary=summary, tags=["bulk"], request=request,
            responses=BulkDocument,
            description="By filter at most 1,000 jobs a call; `more`: there are others.",
        )
    )  # fmt: skip


@_described("cancel_jobs", "Cancel many jobs")
class BulkCancelView(_BulkAction):
    def verb(self, body: Chosen, call: Call) -> Verb:
        return bulk_verbs.cancel(call.by)


@_described("retry_jobs", "Run many failed or cancelled jobs again")
class BulkRetryView(_BulkAction):
    def verb(self, body: Chosen, call: Call) -> Verb:
        return bulk_verbs.retry()


@_described("discard_jobs", "Take many jobs out of the dead letters")
class BulkDiscardView(_BulkAction):
    def verb(self, body: Chosen, call: Call) -> Verb:
        return bulk_verbs.discard()


@_described("boost_jobs", "Raise the priority of many waiting jobs", ChosenToBoost)
class BulkBoostView(_BulkAction):
    body = ChosenToBoost

    def verb(self, body: ChosenToBoost, call: Call) -> Verb:
        return bulk_verbs.boost(call.tenant, amount=body.boost)


class BulkStatusView(ApiView):
    scopes = {"PUT": Scope.ADMIN}
    kinds = {"PUT": CallKind.BATCH}

    @extend_schema(
        operation_id="set_status_of_jobs", tags=["bulk"], summary="Set the status of stuck jobs",
        request=NewStatus, responses=BulkDocument,
    )  # fmt: skip
    def put(self, request: Request) -> Response:
        body = body_of(NewStatus, request)
        call = call_of(request, self.access, dry_run=False)
        verb = bulk_verbs.set_status(Status(body.status), call.by)
        return Response(bulk_document(bulk.by_ids(verb, body.job_ids, call)))
