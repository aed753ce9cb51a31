"""GET /jobs/{id}/logs: the lines that a job's code logged, in their order."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.moment import shown
from accounts.api.paging import PARAMETERS, page_of
from accounts.api.view import ApiView
from accounts.scopes import Scope
from jobs.api import describing
from jobs.api.filters import Filters, condition
from jobs.api.reach import job_of
from jobs.log_level import LogLevel
from jobs.models import Job, LogLine


class LogLineDocument(BaseModel):
    """A line, and the number of the attempt that logged it."""

    at: datetime
    attempt: int
    level: LogLevel
    message: str


class LogLinePage(BaseModel):
    items: list[LogLineDocument]
    next_cursor: str | None


def _level(values: list[str]) -> Q:
    if values[0] not in set(LogLevel):
        raise ValueError(f"one of {', '.join(LogLevel)}")
    return Q(level=values[0])


FILTERS: Filters = {"level": _level}
_LEVEL = OpenApiParameter("level", str, enum=list(LogLevel), description="Only lines of this one.")


class LogsView(ApiView):
    scopes = {"GET": Scope.JOBS_READ}
    parameters = {"GET": PARAMETERS | FILTERS.keys()}

    @extend_schema(
        operation_id="list_log_lines", tags=["jobs"],
        summary="Lines that a job logged, oldest first",
        parameters=[*describing.PAGES, _LEVEL], responses=LogLinePage,
    )  # fmt: skip
    def get(self, request: Request, job_id: str) -> Response:
        job = job_of(self.access, job_id)
        page = page_of(request, self.access)
        lines = lines_of(job).filter(condition(request.query_params, FILTERS))
        if page.after is not None:
            lines = lines.filter(pk__gt=page.after)
        return Response(
            page.answer(lines[: page.limit + 1], key=lambda line: line.pk, present=line_document)
        )


def lines_of(job: Job) -> QuerySet[LogLine]:
    """Oldest first."""
    return LogLine.objects.filter(job=job.pk).order_by("pk")


def line_document(line: LogLine) -> dict[str, Any]:
    return {
        "at": shown(line.at),
        "attempt": line.attempt,
        "level": line.level,
        "message": line.message,
    }
