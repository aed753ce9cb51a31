"""POST /schedules/{id}/toggle and /run."""

from __future__ import annotations

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Access
from accounts.api.describing import IDEMPOTENCY_KEY
from accounts.api.idempotency import Answer, once
from accounts.api.view import ApiView
from accounts.rate_limits.rates import CallKind
from accounts.scopes import Scope
from jobs.api import describing as describing_jobs
from jobs.api.bodies import optional_body_of
from jobs.api.jobs import shown_job
from jobs.api.pauses import actor_of
from jobs.api.reach import job_of
from jobs.enqueue import Enqueued
from jobs.exceptions import (
    FieldErrors,
    PayloadTooLarge,
    UniqueKeyTaken,
    UnknownJobType,
    UnknownQueue,
)
from jobs.operations import Actor
from scheduling import verbs
from scheduling.api.bodies import Body, Toggle
from scheduling.api.documents import ScheduleDocument
from scheduling.api.reach import held_schedule_of
from scheduling.api.schedules import shown_schedule
from scheduling.exceptions import NotRun
from scheduling.models import Schedule

# What a schedule that was right when it was made may have become: its job type was changed since.
_OUTDATED = (FieldErrors, PayloadTooLarge, UnknownJobType, UnknownQueue)


class ToggleView(ApiView):
    scopes = {"POST": Scope.SCHEDULES_WRITE}

    @extend_schema(
        operation_id="toggle_schedule", tags=["schedules"], summary="Switch a schedule on or off",
        description="Switched on, it begins now: no moment before is run.",
        request=Toggle, responses=ScheduleDocument, extensions=describing_jobs.MAY_BE_EMPTY,
    )  # fmt: skip
    def post(self, request: Request, schedule_id: str) -> Response:
        by = actor_of(request, self.access)
        with transaction.atomic():
            schedule = held_schedule_of(self.access, schedule_id)
            verbs.toggle(schedule, by, enabled=optional_body_of(Toggle, request).enabled)
            return Response(shown_schedule(self.access, schedule.pk))


class _Nothing(Body):
    """No fields."""


class RunView(ApiView):
    scopes = {"POST": Scope.SCHEDULES_WRITE}
    kinds = {"POST": CallKind.CREATE}
    keyed = True

    @extend_schema(
        operation_id="run_schedule", tags=["schedules"], summary="Run a schedule now, by hand",
        description="Neither overlap nor calendars hold it back, nor that it is switched off. 409 "
        "where no job can be made of it any more.",
        parameters=[IDEMPOTENCY_KEY], request=None,
        responses={201: describing_jobs.CREATED, 200: describing_jobs.DEDUPLICATED},
    )  # fmt: skip
    def post(self, request: Request, schedule_id: str) -> Response:
        access, by = self.access, actor_of(request, self.access)

        def run() -> Answer:
            schedule = held_schedule_of(access, schedule_id)
            optional_body_of(_Nothing, request)
            return _run_answer(_handed_in(schedule, by), access)

        answer = once(request, access, run)
        return Response(answer.body, status=answer.status, headers=answer.headers)


def _handed_in(schedule: Schedule, by: Actor) -> Enqueued:
    try:
        return verbs.hand_in(schedule, by)
    except _OUTDATED as error:
        raise NotRun(f"No job could be made: {error}") from error


def _run_answer(done: Enqueued, access: Access) -> Answer:
    if done.created:
        return Answer(status=status.HTTP_201_CREATED, body=shown_job(done.job, access))
    if access.principal.owner not in ("", done.job.owner):
        raise UniqueKeyTaken
    held = shown_job(job_of(access, done.job.pk), access)
    return Answer(status=status.HTTP_200_OK, body={**held, "deduplicated": True})
