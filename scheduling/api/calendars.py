"""GET and POST /calendars, GET, PUT, PATCH and DELETE /calendars/{id}: days to leave out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.describing import PAGES
from accounts.api.idempotency import Answer, once
from accounts.api.paging import PARAMETERS, page_of
from accounts.api.view import ApiView
from accounts.scopes import Scope
from jobs.api.bodies import body_of
from jobs.api.pauses import actor_of
from scheduling import calendars
from scheduling.api import describing
from scheduling.api.calendars_documents import (
    CalendarChange,
    CalendarDocument,
    CalendarPage,
    NewCalendar,
    WholeCalendar,
    calendar_document,
)
from scheduling.api.reach import calendar_of, calendars_of, held_calendar_of, owner_for


class CalendarsView(ApiView):
    scopes = {"GET": Scope.SCHEDULES_READ, "POST": Scope.SCHEDULES_WRITE}
    keyed = True
    parameters = {"GET": PARAMETERS}

    @extend_schema(
        operation_id="list_calendars", tags=["schedules"], summary="List calendars, newest first",
        parameters=PAGES, responses=CalendarPage,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        page = page_of(request, self.access)
        rows = calendars_of(self.access)
        if page.after is not None:
            rows = rows.filter(pk__lt=page.after)
        return Response(
            page.answer(
                rows.order_by("-pk")[: page.limit + 1],  # ids sort by time
                key=lambda calendar: str(calendar.pk),
                present=lambda calendar: calendar_document(calendar, self.access),
            )
        )

    @extend_schema(
        operation_id="create_calendar", tags=["schedules"],
        summary="Make a calendar of days on which schedules do not run",
        description="409 where there is one of this name.",
        parameters=describing.CREATION, request=NewCalendar, responses={201: CalendarDocument},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        body, access = body_of(NewCalendar, request), self.access
        by, owner = actor_of(request, access), owner_for(body.owner, access)

        def create() -> Answer:
            made = calendars.create(access.one_tenant, body.days, by, owner=owner)
            return Answer(status=status.HTTP_201_CREATED, body=calendar_document(made, access))

        answer = once(request, access, create)
        headers = {**answer.headers, "Location": f"{request.path}/{answer.body['id']}"}
        return Response(answer.body, status=answer.status, headers=headers)


class CalendarView(ApiView):
    scopes = {
        "GET": Scope.SCHEDULES_READ,
        "PUT": Scope.SCHEDULES_WRITE,
        "PATCH": Scope.SCHEDULES_WRITE,
        "DELETE": Scope.SCHEDULES_WRITE,
    }

    @extend_schema(
        operation_id="get_calendar", tags=["schedules"], summary="One calendar",
        responses=CalendarDocument,
    )  # fmt: skip
    def get(self, request: Request, calendar_id: str) -> Response:
        return Response(calendar_document(calendar_of(self.access, calendar_id), self.access))

    @extend_schema(
        operation_id="replace_calendar", tags=["schedules"], summary="Define a calendar anew",
        description="What is left out is empty then. Its schedules go by it at once.",
        request=WholeCalendar, responses=CalendarDocument,
    )  # fmt: skip
    def put(self, request: Request, calendar_id: str) -> Response:
        return self._changed(request, calendar_id, WholeCalendar)

    @extend_schema(
        operation_id="change_calendar", tags=["schedules"], summary="Change a calendar",
        description="Its schedules go by it at once.",
        request=CalendarChange, responses=CalendarDocument,
    )  # fmt: skip
    def patch(self, request: Request, calendar_id: str) -> Response:
        return self._changed(request, calendar_id, CalendarChange)

    @extend_schema(
        operation_id="delete_calendar", tags=["schedules"], summary="Remove a calendar",
        description="409, with their number, while schedules name it.",
        responses={204: OpenApiResponse(description="It is removed.")},
    )  # fmt: skip
    def delete(self, request: Request, calendar_id: str) -> Response:
        with transaction.atomic():
            calendar = held_calendar_of(self.access, calendar_id)
            calendars.delete(calendar, actor_of(request, self.access))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _changed(
        self, request: Request, calendar_id: str, model: type[WholeCalendar | CalendarChange]
    ) -> Response:
        with transaction.atomic():
            calendar = held_calendar_of(self.access, calendar_id)
            changes: Mapping[str, Any] = body_of(model, request).changes
            changed = calendars.change(calendar, changes, actor_of(request, self.access))
        return Response(calendar_document(changed, self.access))
