"""POST /jobs/{id}/cancel, /retry, /boost: what a person or a program does to one job."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.api.view import ApiView, address_of
from accounts.scopes import Scope
from jobs import lifecycle, registry
from jobs.api import describing
from jobs.api.bodies import Body, Boost, Retry, body_of, optional_body_of
from jobs.api.documents import JobDocument
from jobs.api.jobs import shown_job
from jobs.api.reach import job_of
from jobs.models import Job


class _Nothing(Body):
    """No fields."""


class _JobAction(ApiView):
    """One verb on one job, with its audit entry in the same transaction."""

    scopes = {"POST": Scope.JOBS_WRITE}
    verb: str

    def act(self, request: Request, job: Job) -> None:
        raise NotImplementedError

    def perform(self, request: Request, job_id: str) -> Response:
        with transaction.atomic():
            before = job_of(self.access, job_id)
            self.act(request, before)
            after = job_of(self.access, before.pk)
            self._record(request, before, after)
        return Response(shown_job(after, self.access))

    def _record(self, request: Request, before: Job, after: Job) -> None:
        audit.record(
            actor=self.access.principal.actor,
            action=f"job.{self.verb}",
            object_type="job",
            object_id=after.pk,
            tenant=self.access.one_tenant,
            address=address_of(request),
            before=_told(before),
            after=_told(after),
        )


def _told(job: Job) -> dict[str, Any]:
    return {"status": job.status, "priority": job.priority}


class CancelView(_JobAction):
    verb = "cancel"

    @extend_schema(
        operation_id="cancel_job", tags=["jobs"], summary="Cancel a waiting or running job",
        request=None, responses=JobDocument,
    )  # fmt: skip
    def post(self, request: Request, job_id: str) -> Response:
        optional_body_of(_Nothing, request)
        return self.perform(request, job_id)

    def act(self, request: Request, job: Job) -> None:
        lifecycle.cancel(job.pk, by=self.access.principal.actor)


class RetryView(_JobAction):
    verb = "retry"

    @extend_schema(
        operation_id="retry_job", tags=["jobs"], summary="Run a failed or cancelled job again",
        request=Retry, responses=JobDocument,
    )  # fmt: skip
    def post(self, request: Request, job_id: str) -> Response:
        return self.perform(request, job_id)

    def act(self, request: Request, job: Job) -> None:
        payload = optional_body_of(Retry, request).payload
        sealed = None if payload is None else registry.get(job.type).validated(payload)
        lifecycle.revive(job.pk, payload=sealed)


class BoostView(_JobAction):
    verb = "boost"

    @extend_schema(
        operation_id="boost_job", tags=["jobs"], summary="Raise a waiting job's priority",
        request=Boost, responses=JobDocument, examples=describing.BOOSTS,
    )  # fmt: skip
    def post(self, request: Request, job_id: str) -> Response:
        return self.perform(request, job_id)

    def act(self, request: Request, job: Job) -> None:
        boost = body_of(Boost, request).boost
        highest = self.access.one_tenant.plan.highest_priority
        lifecycle.boost(job.pk, by=boost, highest=highest)
