"""POST /schedules/{id}/backfill: runs for a range that is past."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from drf_spectacular.utils import extend_schema
from pydantic import BaseModel
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.describing import IDEMPOTENCY_KEY
from accounts.api.idempotency import Answer, once
from accounts.api.moment import shown
from accounts.api.view import ApiView
from accounts.rate_limits.rates import CallKind
from accounts.scopes import Scope
from jobs.api.bodies import body_of
from jobs.api.pauses import actor_of
from scheduling import backfilling
from scheduling.api import describing
from scheduling.api.bodies import Backfill
from scheduling.api.reach import held_schedule_of
from scheduling.backfilling import Filled


class FilledDocument(BaseModel):
    """`ran_before`: its job was made earlier. `would_run`: it was only looked at."""

    moment: datetime
    decision: Literal["fired", "skipped", "refused", "ran_before", "would_run"]
    job_id: UUID | None
    reason: str | None


class BackfillDocument(BaseModel):
    """Every moment of the range, by time, and how many came to which decision."""

    total: int
    counts: dict[str, int]
    items: list[FilledDocument]


class BackfillView(ApiView):
    scopes = {"POST": Scope.SCHEDULES_WRITE}
    kinds = {"POST": CallKind.BATCH}
    keyed = True

    @extend_schema(
        operation_id="backfill_schedule", tags=["schedules"],
        summary="Run a schedule for a range that is past",
        description="A job for each moment that has none, by the rule as it now is; at most 1,000 "
        "moments. Said again, it makes what is still missing. `dry_run` only looks.",
        parameters=[IDEMPOTENCY_KEY], request=Backfill,
        examples=describing.BACKFILLS, responses=BackfillDocument,
    )  # fmt: skip
    def post(self, request: Request, schedule_id: str) -> Response:
        access, by = self.access, actor_of(request, self.access)

        def fill() -> Answer:
            schedule = held_schedule_of(access, schedule_id)
            body = body_of(Backfill, request)
            filled = backfilling.backfill(schedule, body.start, body.end, by, dry_run=body.dry_run)
            return Answer(status=status.HTTP_200_OK, body=_backfill_document(filled))

        answer = once(request, access, fill)
        return Response(answer.body, status=answer.status, headers=answer.headers)


def _backfill_document(filled: Sequence[Filled]) -> dict[str, Any]:
    came_to = [_decision(one) for one in filled]
    return {
        "total": len(filled),
        "counts": {decision: came_to.count(decision) for decision in dict.fromkeys(came_to)},
        "items": [_filled_document(one) for one in filled],
    }


def _filled_document(one: Filled) -> dict[str, Any]:
    job_id = one.outcome.job_id if one.outcome else one.job_id
    return {
        "moment": shown(one.moment),
        "decision": _decision(one),
        "job_id": None if job_id is None else str(job_id),
        "reason": (one.outcome.reason or None) if one.outcome else None,
    }


def _decision(one: Filled) -> str:
    if one.ran_before:
        return "ran_before"
    return str(one.outcome.decision.value) if one.outcome else "would_run"
