"""GET /schedules/timeline: the coming runs of all schedules."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import BaseModel
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Access
from accounts.api.moment import shown
from accounts.api.refusals import FieldRefusal, Unprocessable
from accounts.api.view import ApiView
from accounts.scopes import Scope
from scheduling.api import describing
from scheduling.api.reach import schedules_of
from scheduling.timeline import LONGEST_HOURS, Run, coming


class RunDocument(BaseModel):
    """A run to come. `tenant` is there where all tenants were asked for."""

    moment: datetime
    schedule_id: UUID
    name: str
    type: str
    timezone: str
    owner: str | None
    tenant: str | None = None


class TimelineDocument(BaseModel):
    """Runs by time, from `start` to before `end`. Before `complete_until` none is left out; it is
    `end` where none is at all."""

    start: datetime
    end: datetime
    complete_until: datetime
    items: list[RunDocument]


class TimelineView(ApiView):
    scopes = {"GET": Scope.SCHEDULES_READ}
    parameters = {"GET": frozenset({"hours"})}

    @extend_schema(
        operation_id="get_timeline", tags=["schedules"], summary="The coming runs, by time",
        description="At most 500, and 50 of one schedule; each schedule's next run goes before any "
        "other's second one.",
        parameters=[describing.HOURS], responses=TimelineDocument,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        hours = _hours(request.query_params.getlist("hours"))
        found = coming(schedules_of(self.access), now=timezone.now(), hours=hours)
        return Response(
            {
                "start": shown(found.start),
                "end": shown(found.end),
                "complete_until": shown(found.complete_until),
                "items": [_run_document(run, self.access) for run in found.runs],
            }
        )


def _hours(given: list[str]) -> int:
    text = given[0] if len(given) == 1 else "24" if not given else ""
    if text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= LONGEST_HOURS:
        return int(text)
    raise Unprocessable([FieldRefusal("/hours", f"a whole number 1-{LONGEST_HOURS}")])


def _run_document(run: Run, access: Access) -> dict[str, Any]:
    schedule = run.schedule
    document = {
        "moment": shown(run.moment),
        "schedule_id": str(schedule.pk),
        "name": schedule.name,
        "type": schedule.type,
        "timezone": schedule.timezone,
        "owner": schedule.owner or None,
    }
    if access.tenant is None:
        document["tenant"] = schedule.tenant.slug
    return document
