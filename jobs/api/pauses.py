"""GET and POST /pauses, DELETE /pauses/{id}: what is held back, and by whom."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Access
from accounts.api.idempotency import Answer, once
from accounts.api.moment import shown
from accounts.api.paging import PARAMETERS, page_of
from accounts.api.platform import is_platform_admin, require_platform_admin
from accounts.api.refusals import FieldRefusal, Unprocessable
from accounts.api.view import ApiView, address_of
from accounts.scopes import Scope
from jobs import registry
from jobs.api import describing
from jobs.api.bodies import body_of
from jobs.api.policy_bodies import NewPause
from jobs.api.policy_documents import PauseDocument, PausePage
from jobs.api.reach import as_id
from jobs.exceptions import FieldError, InvalidPolicy
from jobs.models import Pause, PauseKind
from jobs.operations import Actor
from jobs.policies import pausing

_IN_FORCE = OpenApiParameter("in_force", bool, description="Only those that hold, or do not.")
_EVERYBODYS = Q(kind__in=[PauseKind.QUEUE, PauseKind.TYPE])


class PausesView(ApiView):
    scopes = {"GET": Scope.QUEUES_READ, "POST": Scope.ADMIN}
    keyed = True
    parameters = {"GET": PARAMETERS | {"in_force"}}

    @extend_schema(
        operation_id="list_pauses", tags=["queues"], summary="Pauses, newest first",
        parameters=[*describing.PAGES, _IN_FORCE], responses=PausePage,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        page = page_of(request, self.access)
        rows = _asked(request, pauses_of(self.access)).order_by("-pk")
        if page.after is not None:
            rows = rows.filter(pk__lt=page.after)
        found = rows[: page.limit + 1]
        present = partial(pause_document, named=is_platform_admin(self.access))
        return Response(page.answer(found, key=lambda one: str(one.pk), present=present))

    @extend_schema(
        operation_id="create_pause", tags=["queues"],
        summary="Hold back the jobs of a queue, a type, a tenant or a limit key",
        description="For platform admins. Where the target is paused already, that pause gets this "
        "reason and this end: then the answer is 200.",
        parameters=[describing.CREATION[0]], request=NewPause,
        responses={200: PauseDocument, 201: PauseDocument},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        require_platform_admin(self.access)
        body, by = body_of(NewPause, request), actor_of(request, self.access)
        answer = once(request, self.access, lambda: _paused(body, self.access, by))
        return Response(answer.body, status=answer.status, headers=answer.headers)


class PauseView(ApiView):
    scopes = {"DELETE": Scope.ADMIN}

    @extend_schema(
        operation_id="end_pause", tags=["queues"], summary="End a pause",
        description="For platform admins. One that is over already stays as it is.",
        responses={204: OpenApiResponse(description="It is over.")},
    )  # fmt: skip
    def delete(self, request: Request, pause_id: str) -> Response:
        require_platform_admin(self.access)
        with transaction.atomic():
            pause = Pause.objects.exclude(_ours()).filter(pk=as_id(pause_id)).first()
            if pause is None:
                raise NotFound
            pausing.end(pause, actor_of(request, self.access))
        return Response(status=status.HTTP_204_NO_CONTENT)


def actor_of(request: Request, access: Access) -> Actor:
    return Actor(name=access.principal.actor, address=address_of(request))


def pauses_of(access: Access) -> QuerySet[Pause]:
    """Those that may hold back jobs of this request's: of queues and types, and of its own tenant
    and keys. The keys tell of all a tenant's jobs, so a token of one owner is not shown them. A
    platform admin pauses any tenant, whichever it acts for, and so it sees the pauses of all."""
    rows = Pause.objects.select_related("tenant").exclude(_ours())
    if access.tenant is not None:
        whole = Q(kind=PauseKind.TENANT) if is_platform_admin(access) else Q()
        rows = rows.filter(_EVERYBODYS | whole | Q(tenant=access.tenant))
    if access.principal.owner:
        rows = rows.exclude(kind=PauseKind.KEY)
    return rows


def _asked(request: Request, rows: QuerySet[Pause]) -> QuerySet[Pause]:
    match request.query_params.get("in_force"):
        case None:
            return rows
        case "true":
            return rows.filter(pausing.IN_FORCE)
        case "false":
            return rows.exclude(pausing.IN_FORCE)
    raise Unprocessable([FieldRefusal("/in_force", "true or false")])


def _ours() -> Q:
    """Pauses of the platform's own jobs, which are the admin's matter."""
    queues, types = registry.internal_queues(), [k.name for k in registry.all() if k.internal]
    of_queues = Q(kind=PauseKind.QUEUE, target__in=sorted(queues))
    return of_queues | Q(kind=PauseKind.TYPE, target__in=types) | Q(tenant__works_for__isnull=False)


def _refuse_ours(body: NewPause) -> None:
    """For programs such a queue or type does not exist."""
    internal = {
        PauseKind.QUEUE: body.target in registry.internal_queues(),
        PauseKind.TYPE: registry.is_internal(body.target),
    }
    if internal.get(body.kind, False):
        raise InvalidPolicy([FieldError("/target", "is unknown")])


def _paused(body: NewPause, access: Access, by: Actor) -> Answer:
    _refuse_ours(body)
    pause, is_new = pausing.pause(
        body.kind,
        body.target,
        by,
        tenant=access.one_tenant,
        reason=body.reason,
        until=body.until,
    )
    code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    return Answer(status=code, body=pause_document(pause))


def pause_document(pause: Pause, *, named: bool = True) -> dict[str, Any]:
    """`named`: with who paused and who resumed, which is for platform admins."""
    now = timezone.now()
    lasts = pause.until is None or pause.until > now
    return {
        "id": str(pause.pk),
        "kind": pause.kind,
        "target": pause.target,
        "tenant": pause.tenant.slug if pause.tenant else None,
        "reason": pause.reason,
        "until": shown(pause.until),
        "in_force": pause.ended_at is None and lasts,
        "created_at": shown(pause.created_at),
        "created_by": pause.created_by if named else None,
        "ended_at": shown(pause.ended_at),
        "ended_by": (pause.ended_by or None) if named else None,
    }
