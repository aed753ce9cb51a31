"""GET /job-types: what can be asked for."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.paging import PARAMETERS, page_of
from accounts.api.view import ApiView
from accounts.scopes import Scope
from jobs import registry
from jobs.api import describing
from jobs.api.documents import JobTypePage
from jobs.job_type import JobType
from jobs.policies.rate import Rate


class JobTypesView(ApiView):
    scopes = {"GET": Scope.JOBS_READ}
    parameters = {"GET": PARAMETERS}

    @extend_schema(
        operation_id="list_job_types", tags=["jobs"], summary="Job types, by name",
        parameters=describing.PAGES, responses=JobTypePage,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        page = page_of(request, self.access)
        types = [one for one in registry.public() if page.after is None or one.name > page.after]
        return Response(page.answer(types, key=lambda one: one.name, present=_document))


def _document(job_type: JobType[Any, Any]) -> dict[str, Any]:
    return {
        "name": job_type.name,
        "description": job_type.description,
        "queue": job_type.queue,
        "max_retries": job_type.max_retries,
        "retry_backoff": asdict(job_type.backoff),
        "timeout_seconds": job_type.timeout_seconds or settings.JOB_TIMEOUT_SECONDS,
        **_limits(job_type),
        "payload_schema": job_type.payload_schema(),
    }


def _limits(job_type: JobType[Any, Any]) -> dict[str, Any]:
    return {
        "max_concurrency": job_type.max_concurrency,
        "rate_limit": _text(job_type.rate_limit),
        "limit_key": "computed" if callable(job_type.limit_key) else job_type.limit_key,
        "key_max_concurrency": job_type.key_max_concurrency,
        "key_rate_limit": _text(job_type.key_rate_limit),
        "circuit": asdict(job_type.circuit) if job_type.circuit else None,
    }


def _text(rate: Rate | None) -> str | None:
    return None if rate is None else str(rate)
