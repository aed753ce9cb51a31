"""GET and POST /schedules, GET, PUT, PATCH and DELETE /schedules/{id}."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Access
from accounts.api.idempotency import Answer, once
from accounts.api.paging import PARAMETERS, page_of
from accounts.api.view import ApiView
from accounts.scopes import Scope
from jobs.api.bodies import body_of
from jobs.api.filters import FILTERS as OF_JOBS
from jobs.api.filters import Filters, condition
from jobs.api.pauses import actor_of
from scheduling import verbs
from scheduling.api import describing
from scheduling.api.bodies import NewSchedule, ScheduleChange, fields_of
from scheduling.api.documents import ScheduleDocument, SchedulePage, schedule_document
from scheduling.api.reach import held_schedule_of, owner_for, schedule_of, schedules_of

_LONGEST_TYPE = 255


def _type(values: list[str]) -> Q:
    """Also a type that is no longer in the code: its schedules are still there."""
    if len(values[0]) > _LONGEST_TYPE:
        raise ValueError(f"at most {_LONGEST_TYPE} characters")
    return Q(type=values[0])


def _enabled(values: list[str]) -> Q:
    if values[0] not in ("true", "false"):
        raise ValueError("true or false")
    return Q(enabled=values[0] == "true")


def _calendar(values: list[str]) -> Q:
    if len(values[0]) != 36:  # UUID() also takes braces, urn: and no hyphens
        raise ValueError("an id is a UUID")
    return Q(calendars=UUID(values[0]))


FILTERS: Filters = {
    "type": _type,
    "owner": OF_JOBS["owner"],
    "enabled": _enabled,
    "name": lambda values: Q(name=values[0]),
    "calendar_id": _calendar,
}


class SchedulesView(ApiView):
    scopes = {"GET": Scope.SCHEDULES_READ, "POST": Scope.SCHEDULES_WRITE}
    keyed = True
    parameters = {"GET": PARAMETERS | FILTERS.keys()}

    @extend_schema(
        operation_id="list_schedules", tags=["schedules"], summary="List schedules, newest first",
        parameters=describing.FILTERS, responses=SchedulePage,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        page = page_of(request, self.access)
        rows = schedules_of(self.access).filter(condition(request.query_params, FILTERS))
        if page.after is not None:
            rows = rows.filter(pk__lt=page.after)
        return Response(
            page.answer(
                rows.order_by("-pk")[: page.limit + 1],  # ids sort by time
                key=lambda schedule: str(schedule.pk),
                present=lambda schedule: schedule_document(schedule, self.access),
            )
        )

    @extend_schema(
        operation_id="create_schedule", tags=["schedules"], summary="Make a schedule",
        description="Its first run is the first moment after now. 409 where there is one of this "
        "name.",
        parameters=describing.CREATION, request=NewSchedule, examples=describing.NEW_SCHEDULES,
        responses={201: ScheduleDocument},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        body, access = body_of(NewSchedule, request), self.access
        given = body.definition(owner_for(body.owner, access))
        by = actor_of(request, access)

        def create() -> Answer:
            made = verbs.create(access.one_tenant, given, by)
            return Answer(status=status.HTTP_201_CREATED, body=shown_schedule(access, made.pk))

        answer = once(request, access, create)
        headers = {**answer.headers, "Location": f"{request.path}/{answer.body['id']}"}
        return Response(answer.body, status=answer.status, headers=headers)


class ScheduleView(ApiView):
    scopes = {
        "GET": Scope.SCHEDULES_READ,
        "PUT": Scope.SCHEDULES_WRITE,
        "PATCH": Scope.SCHEDULES_WRITE,
        "DELETE": Scope.SCHEDULES_WRITE,
    }

    @extend_schema(
        operation_id="get_schedule", tags=["schedules"], summary="One schedule",
        responses=ScheduleDocument,
    )  # fmt: skip
    def get(self, request: Request, schedule_id: str) -> Response:
        return Response(schedule_document(schedule_of(self.access, schedule_id), self.access))

    @extend_schema(
        operation_id="replace_schedule", tags=["schedules"], summary="Define a schedule anew",
        description="What is left out takes its default. `***` in the payload leaves that secret "
        "as it is. Another rule, zone or start begins now.",
        request=NewSchedule, examples=describing.NEW_SCHEDULES, responses=ScheduleDocument,
    )  # fmt: skip
    def put(self, request: Request, schedule_id: str) -> Response:
        schedule_of(self.access, schedule_id)  # 404 before anything is said of the body
        body = body_of(NewSchedule, request)
        changes = fields_of(body, type(body).model_fields)
        changes["owner"] = owner_for(body.owner, self.access)
        return self._changed(request, schedule_id, changes)

    @extend_schema(
        operation_id="change_schedule", tags=["schedules"], summary="Change a schedule",
        description="Another rule, zone or start, and being switched on, begin now: no moment "
        "before is run.",
        request=ScheduleChange, examples=describing.CHANGES, responses=ScheduleDocument,
    )  # fmt: skip
    def patch(self, request: Request, schedule_id: str) -> Response:
        schedule_of(self.access, schedule_id)
        changes = body_of(ScheduleChange, request).changes
        if "owner" in changes:
            changes["owner"] = owner_for(changes["owner"], self.access)
        return self._changed(request, schedule_id, changes)

    @extend_schema(
        operation_id="delete_schedule", tags=["schedules"], summary="Remove a schedule",
        description="Its jobs stay. 409 where it is declared in code.",
        responses={204: OpenApiResponse(description="It is removed.")},
    )  # fmt: skip
    def delete(self, request: Request, schedule_id: str) -> Response:
        with transaction.atomic():
            schedule = held_schedule_of(self.access, schedule_id)
            verbs.delete(schedule, actor_of(request, self.access))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _changed(self, request: Request, schedule_id: str, changes: Mapping[str, Any]) -> Response:
        with transaction.atomic():
            schedule = held_schedule_of(self.access, schedule_id)
            verbs.change(schedule, changes, actor_of(request, self.access))
            return Response(shown_schedule(self.access, schedule.pk))


def shown_schedule(access: Access, schedule_id: UUID) -> dict[str, Any]:
    """As it stands in the transaction."""
    return schedule_document(schedules_of(access).get(pk=schedule_id), access)
