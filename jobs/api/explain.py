"""GET /jobs/{id}/explain: why a job is not running."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.view import ApiView
from accounts.scopes import Scope
from jobs.api.figures import ExplanationDocument
from jobs.api.moment import shown
from jobs.api.position import Position, position_of
from jobs.api.reach import job_of
from jobs.dispatcher.explain import Explanation, explain


class ExplainView(ApiView):
    scopes = {"GET": Scope.JOBS_READ}

    @extend_schema(
        operation_id="explain_job", tags=["jobs"], summary="Why is it not running?",
        responses=ExplanationDocument,
    )  # fmt: skip
    def get(self, request: Request, job_id: str) -> Response:
        job = job_of(self.access, job_id)
        position = position_of(job)
        explanation = explain(job, ahead=position.place - 1 if position.place else 0)
        return Response(_document(explanation, position))


def _document(explanation: Explanation, position: Position) -> dict[str, Any]:
    return {
        "runnable": explanation.runnable,
        "reasons": [
            {
                "code": reason.code.value,
                "detail": reason.detail,
                "until": shown(reason.until),
                "object": reason.object,
            }
            for reason in explanation.reasons
        ],
        "ahead": explanation.ahead,
        "ahead_exact": None if explanation.ahead is None else position.exact,
        "expected_start_at": shown(explanation.expected_start_at),
    }
