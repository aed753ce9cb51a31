"""POST /schedules/preview: when a rule would run, before there is a schedule of it."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import BaseModel
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.moment import shown
from accounts.api.view import ApiView
from accounts.scopes import Scope
from jobs.api.bodies import body_of
from scheduling import previewing
from scheduling.api import describing
from scheduling.api.bodies import Preview
from scheduling.api.reach import owner_for


class PreviewDocument(BaseModel):
    """`next`: fewer than were asked for, where the others lie beyond the end or fifty years."""

    next: list[datetime]
    in_words: str


class PreviewView(ApiView):
    scopes = {"POST": Scope.SCHEDULES_READ}

    @extend_schema(
        operation_id="preview_schedule", tags=["schedules"], summary="See when a rule would run",
        description="Nothing is written.",
        request=Preview, examples=describing.PREVIEWS, responses=PreviewDocument,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        body = body_of(Preview, request)
        found = previewing.preview(
            self.access.one_tenant,
            body.definition(owner_for(body.owner, self.access)),
            now=timezone.now(),
            count=body.count,
        )
        return Response({"next": [shown(at) for at in found.next], "in_words": found.in_words})
