"""GET /schedules/{id}/firings: what became of each moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from pydantic import BaseModel
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.moment import shown
from accounts.api.paging import PARAMETERS, page_of
from accounts.api.view import ApiView
from accounts.scopes import Scope
from jobs.api.filters import Filters, condition
from scheduling.api import describing
from scheduling.api.reach import schedule_of
from scheduling.models import Firing
from scheduling.policies import Decision


class FiringDocument(BaseModel):
    """What became of one moment, and why. A run by hand has no moment. With `until` it stands for
    all moments from `moment` on and before `until`. `by`: who ran it by hand, or filled it in."""

    id: UUID
    moment: datetime | None
    until: datetime | None
    decision: Decision
    reason: str | None
    job_id: UUID | None
    late_seconds: float
    by: str | None
    decided_at: datetime


class FiringPage(BaseModel):
    items: list[FiringDocument]
    next_cursor: str | None


def _decision(values: list[str]) -> Q:
    if values[0] not in Decision.values:
        raise ValueError(f"one of {', '.join(Decision.values)}")
    return Q(decision=values[0])


FILTERS: Filters = {"decision": _decision}


class FiringsView(ApiView):
    scopes = {"GET": Scope.SCHEDULES_READ}
    parameters = {"GET": PARAMETERS | FILTERS.keys()}

    @extend_schema(
        operation_id="list_firings", tags=["schedules"],
        summary="What became of a schedule's moments, newest first",
        parameters=describing.FIRINGS, responses=FiringPage,
    )  # fmt: skip
    def get(self, request: Request, schedule_id: str) -> Response:
        page = page_of(request, self.access)
        schedule = schedule_of(self.access, schedule_id)
        rows = schedule.firings.filter(condition(request.query_params, FILTERS))
        if page.after is not None:
            rows = rows.filter(pk__lt=page.after)
        found = rows.order_by("-pk")[: page.limit + 1]  # ids sort by time
        return Response(
            page.answer(found, key=lambda firing: str(firing.pk), present=_firing_document)
        )


def _firing_document(firing: Firing) -> dict[str, Any]:
    return {
        "id": str(firing.pk),
        "moment": shown(firing.moment),
        "until": shown(firing.until),
        "decision": firing.decision,
        "reason": firing.reason or None,
        "job_id": None if firing.job_id is None else str(firing.job_id),
        "late_seconds": firing.late_seconds,
        "by": firing.by or None,
        "decided_at": shown(firing.decided_at),
    }
