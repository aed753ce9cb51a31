"""GET /jobs/{id}/attempts: every run of a job's code, the latest first."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.paging import PARAMETERS, page_of
from accounts.api.view import ApiView
from accounts.scopes import Scope
from jobs.api import describing
from jobs.api.documents import AttemptPage
from jobs.api.presenting import attempt_document, own_attempt_document
from jobs.api.reach import job_of
from jobs.models import Job
from jobs.states import Status


class AttemptsView(ApiView):
    scopes = {"GET": Scope.JOBS_READ}
    parameters = {"GET": PARAMETERS}

    @extend_schema(
        operation_id="list_attempts", tags=["jobs"], summary="A job's attempts, latest first",
        parameters=describing.PAGES, responses=AttemptPage,
    )  # fmt: skip
    def get(self, request: Request, job_id: str) -> Response:
        job = job_of(self.access, job_id)
        page = page_of(request, self.access)
        kept = job.attempts.order_by("-fence")
        if page.after is not None:
            kept = kept.filter(fence__lt=page.after)
        latest = unkept(job) if page.after is None else []
        older = [(row.fence, attempt_document(row, self.access)) for row in kept[: page.limit + 1]]
        return Response(
            page.answer(latest + older, key=lambda row: row[0], present=lambda row: row[1])
        )


def unkept(job: Job) -> list[tuple[int, dict[str, Any]]]:
    """The attempt that only the job's row tells of, the one that runs or that completed, with its
    fence. No later one exists."""
    if job.status == Status.PROCESSING:
        return [(job.fence, own_attempt_document(job, outcome=None))]
    if job.status == Status.COMPLETED:  # leaving `processing` has added one
        return [(job.fence - 1, own_attempt_document(job, outcome="completed"))]
    return []
