"""GET /jobs/{id}/explain: why a job is not running."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.moment import shown
from accounts.api.view import ApiView
from accounts.scopes import Scope
from jobs.api.figures import ExplanationDocument
from jobs.api.reach import job_of
from jobs.explain import Explanation, explain


class ExplainView(ApiView):
    scopes = {"GET": Scope.JOBS_READ}

    @extend_schema(
        operation_id="explain_job", tags=["jobs"], summary="Why is it not running?",
        responses=ExplanationDocument,
    )  # fmt: skip
    def get(self, request: Request, job_id: str) -> Response:
        return Response(_document(explain(job_of(self.access, job_id))))


def _document(explanation: Explanation) -> dict[str, Any]:
    return {
        "runnable": explanation.runnable,
        "reasons": [
            {
                "code": reason.code.value,
                "detail": reason.detail,
                "until": shown(reason.until),
                "object": reason.object,
                "remedy": reason.remedy or None,
            }
            for reason in explanation.reasons
        ],
        "ahead": explanation.ahead,
        "ahead_exact": explanation.ahead_exact,
        "expected_start_at": shown(explanation.expected_start_at),
    }
