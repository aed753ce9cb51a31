"""POST /jobs/{id}/VERB: what a person or a program does to one job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import transaction
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.view import ApiView, address_of
from accounts.rate_limits.rates import CallKind
from accounts.scopes import Scope
from jobs import operations
from jobs.api import describing
from jobs.api.bodies import Body, Boost, Retry, body_of, optional_body_of
from jobs.api.documents import JobDocument
from jobs.api.jobs import shown_job
from jobs.api.reach import job_of
from jobs.models import Job
from jobs.operations import Actor

V = TypeVar("V", bound="type[_JobAction]")


class _Nothing(Body):
    """No fields."""


class _JobAction(ApiView):
    """One verb on one job."""

    scopes = {"POST": Scope.JOBS_WRITE}

    def post(self, request: Request, job_id: str) -> Response:
        by = Actor(name=self.access.principal.actor, address=address_of(request))
        with transaction.atomic():
            job = job_of(self.access, job_id)
            self.act(request, job, by)
            after = job_of(self.access, job.pk)
        return Response(shown_job(after, self.access))

    def act(self, request: Request, job: Job, by: Actor) -> None:
        raise NotImplementedError


def _described(name: str, summary: str, **schema: Any) -> Callable[[V], V]:
    """The verb's place in the published schema."""
    told = {"request": None, "responses": JobDocument, "tags": ["jobs"], **schema}
    return extend_schema_view(post=extend_schema(operation_id=name, summary=summary, **told))


@_described("cancel_job", "Cancel a waiting or running job")
class CancelView(_JobAction):
    def act(self, request: Request, job: Job, by: Actor) -> None:
        optional_body_of(_Nothing, request)
        operations.cancel(job, by)


@_described(
    "retry_job", "Run a failed or cancelled job again",
    request=Retry, extensions=describing.MAY_BE_EMPTY,
)  # fmt: skip
class RetryView(_JobAction):
    kinds = {"POST": CallKind.CREATE}

    def act(self, request: Request, job: Job, by: Actor) -> None:
        operations.retry(job, by, payload=optional_body_of(Retry, request).payload)


@_described(
    "boost_job", "Raise a waiting job's priority", request=Boost, examples=describing.BOOSTS
)
class BoostView(_JobAction):
    def act(self, request: Request, job: Job, by: Actor) -> None:
        operations.boost(job, by, amount=body_of(Boost, request).boost)


@_described("run_job_now", "Queue a scheduled job at once")
class RunNowView(_JobAction):
    kinds = {"POST": CallKind.CREATE}

    def act(self, request: Request, job: Job, by: Actor) -> None:
        optional_body_of(_Nothing, request)
        operations.run_now(job, by)


@_described("discard_job", "Take a failed job out of the dead letters")
class DiscardView(_JobAction):
    def act(self, request: Request, job: Job, by: Actor) -> None:
        optional_body_of(_Nothing, request)
        operations.discard(job, by)
