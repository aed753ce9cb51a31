"""POST /jobs/{id}/VERB: what a person or a program does to one job."""

from __future__ import annotations

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.view import ApiView, address_of
from accounts.scopes import Scope
from jobs import operations
from jobs.api import describing
from jobs.api.bodies import Body, Boost, Retry, body_of, optional_body_of
from jobs.api.documents import JobDocument
from jobs.api.jobs import shown_job
from jobs.api.reach import job_of
from jobs.models import Job
from jobs.operations import Actor


class _Nothing(Body):
    """No fields."""


class _JobAction(ApiView):
    """One verb on one job."""

    scopes = {"POST": Scope.JOBS_WRITE}

    def act(self, request: Request, job: Job, by: Actor) -> None:
        raise NotImplementedError

    def perform(self, request: Request, job_id: str) -> Response:
        by = Actor(name=self.access.principal.actor, address=address_of(request))
        with transaction.atomic():
            job = job_of(self.access, job_id)
            self.act(request, job, by)
            after = job_of(self.access, job.pk)
        return Response(shown_job(after, self.access))


class CancelView(_JobAction):
    @extend_schema(
        operation_id="cancel_job", tags=["jobs"], summary="Cancel a waiting or running job",
        request=None, responses=JobDocument,
    )  # fmt: skip
    def post(self, request: Request, job_id: str) -> Response:
        optional_body_of(_Nothing, request)
        return self.perform(request, job_id)

    def act(self, request: Request, job: Job, by: Actor) -> None:
        operations.cancel(job, by)


class RetryView(_JobAction):
    @extend_schema(
        operation_id="retry_job", tags=["jobs"], summary="Run a failed or cancelled job again",
        request=Retry, responses=JobDocument,
    )  # fmt: skip
    def post(self, request: Request, job_id: str) -> Response:
        return self.perform(request, job_id)

    def act(self, request: Request, job: Job, by: Actor) -> None:
        operations.retry(job, by, payload=optional_body_of(Retry, request).payload)


class BoostView(_JobAction):
    @extend_schema(
        operation_id="boost_job", tags=["jobs"], summary="Raise a waiting job's priority",
        request=Boost, responses=JobDocument, examples=describing.BOOSTS,
    )  # fmt: skip
    def post(self, request: Request, job_id: str) -> Response:
        return self.perform(request, job_id)

    def act(self, request: Request, job: Job, by: Actor) -> None:
        operations.boost(job, by, amount=body_of(Boost, request).boost)


class RunNowView(_JobAction):
    @extend_schema(
        operation_id="run_job_now", tags=["jobs"], summary="Queue a scheduled job at once",
        request=None, responses=JobDocument,
    )  # fmt: skip
    def post(self, request: Request, job_id: str) -> Response:
        optional_body_of(_Nothing, request)
        return self.perform(request, job_id)

    def act(self, request: Request, job: Job, by: Actor) -> None:
        operations.run_now(job, by)


class DiscardView(_JobAction):
    @extend_schema(
        operation_id="discard_job", tags=["jobs"],
        summary="Take a failed job out of the dead letters",
        request=None, responses=JobDocument,
    )  # fmt: skip
    def post(self, request: Request, job_id: str) -> Response:
        optional_body_of(_Nothing, request)
        return self.perform(request, job_id)

    def act(self, request: Request, job: Job, by: Actor) -> None:
        operations.discard(job, by)
