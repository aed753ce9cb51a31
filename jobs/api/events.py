"""GET /events and POST /events/ticket: who may watch what.

The view decides and answers in a few milliseconds; the stream itself is `jobs.live.streams`' work,
outside of Django's threads. It hands the view's grant over in the scope of the request.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from pydantic import BaseModel, Field
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Access
from accounts.api.authentication import BearerAuthentication, SessionAuthentication
from accounts.api.moment import shown
from accounts.api.refusals import FieldRefusal, Unprocessable
from accounts.api.view import ApiView
from accounts.principal import Principal
from accounts.scopes import Scope
from jobs.api.bodies import Body, JobId, optional_body_of
from jobs.api.events_documents import SentEventDocument
from jobs.api.reach import as_id
from jobs.live import tickets
from jobs.live.asking import GRANT
from jobs.live.grant import Grant, Wanted
from jobs.models import Batch, Job

CONTENT_TYPE = "text/event-stream"
FILTERS = ("job_id", "batch_id", "owner")
MOST_JOBS = 100


class NoTicketsNow(APIException):
    """Redis is away."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "There are no tickets while Redis is away. Ask for the job itself meanwhile."
    default_code = "no_tickets"
    wait = 5


class TicketAuthentication(BaseAuthentication):
    """`?ticket=`: the caller who asked for it, for the same jobs."""

    def authenticate(self, request: Request) -> tuple[Principal, None] | None:
        ticket = request.query_params.get("ticket")
        if ticket is None:
            return None
        try:
            principal = tickets.redeem(ticket, _asked(request))
        except tickets.NoTickets:
            raise NoTicketsNow from None
        if principal is None:
            raise AuthenticationFailed
        return principal, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class WantedEvents(Body):
    """The jobs that the stream shall tell of; as in the query of `GET /events`."""

    job_id: list[JobId] | JobId | None = None
    batch_id: JobId | None = None
    owner: Annotated[str, Field(max_length=255)] | None = None

    def asked(self) -> dict[str, Any]:
        ids = [] if self.job_id is None else self.job_id
        return {
            "job_id": sorted(map(str, ids if isinstance(ids, list) else [ids])),
            "batch_id": None if self.batch_id is None else str(self.batch_id),
            "owner": self.owner,
        }


class TicketDocument(BaseModel):
    """Good for one stream, until then, with the same filter."""

    ticket: str | None
    expires_at: datetime


_JOB = OpenApiParameter(
    "job_id", UUID, many=True, description=f"Only these jobs, up to {MOST_JOBS}."
)
_PARAMETERS = [
    _JOB,
    OpenApiParameter("batch_id", UUID, description="Only jobs of this batch, and its end."),
    OpenApiParameter("owner", str, description="Only jobs of this owner."),
    OpenApiParameter("ticket", str, description="From `POST /events/ticket`, instead of a token."),
    OpenApiParameter("after", str, description="As the header `Last-Event-ID`."),
    OpenApiParameter(
        "only", str, enum=["named"],
        description="`named`: no job but those that are named. For WebSockets, which name them "
        "by messages.",
    ),
    OpenApiParameter(
        "Last-Event-ID", str, OpenApiParameter.HEADER,
        description="The `id` of the last event that is known: the stream goes on after it.",
    ),
]  # fmt: skip
_STREAM = OpenApiResponse(
    SentEventDocument,
    "Server-sent events, each as described: `data` is the JSON text of an object. First "
    "`job.snapshot`.",
)


class EventsView(ApiView):
    authentication_classes = [TicketAuthentication, BearerAuthentication, SessionAuthentication]
    scopes = {"GET": Scope.JOBS_READ}
    parameters = {"GET": frozenset({*FILTERS, "ticket", "after", "only"})}

    @extend_schema(
        operation_id="watch_events", tags=["events"], summary="Watch jobs live",
        parameters=_PARAMETERS, responses={(200, CONTENT_TYPE): _STREAM},
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        require_known_origin(request._request)
        grant = _grant(request, self.access)
        handed = getattr(request._request, "scope", {}).get(GRANT)
        if handed is not None:
            handed.append(grant)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return HttpResponse(b"", content_type=CONTENT_TYPE, headers=headers)


class TicketView(ApiView):
    scopes = {"POST": Scope.JOBS_READ}

    @extend_schema(
        operation_id="create_events_ticket", tags=["events"],
        summary="A ticket for one stream, for browsers",
        description="Browsers send no `Authorization` header with EventSource and WebSocket: they "
        f"take `?ticket=` instead. It works once, within {tickets.TICKET_SECONDS} seconds.",
        request=WantedEvents, responses={201: TicketDocument},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        body = optional_body_of(WantedEvents, request)
        if self.access.tenant is None:
            raise Unprocessable([_ONE_TENANT])
        _check_visible(body.asked(), self.access)
        try:
            ticket = tickets.issue(self.access, body.asked())
        except tickets.NoTickets:
            raise NoTicketsNow from None
        expires_at = timezone.now() + timedelta(seconds=tickets.TICKET_SECONDS)
        document = {"ticket": ticket, "expires_at": shown(expires_at)}
        return Response(document, status=status.HTTP_201_CREATED)


def require_known_origin(request: HttpRequest) -> None:
    """A page of another site must be named in CORS_ALLOWED_ORIGINS. WebSockets know no such rule by
    themselves, and browsers send cookies along."""
    origin = request.META.get("HTTP_ORIGIN")
    own = f"{request.scheme}://{request.get_host()}"
    known = [own, *settings.CORS_ALLOWED_ORIGINS, *settings.CSRF_TRUSTED_ORIGINS]
    if origin is not None and origin not in known:
        raise PermissionDenied("Pages of this origin may not watch.")


_ONE_TENANT = FieldRefusal("/X-Tenant", "a stream is of one tenant")


def _grant(request: Request, access: Access) -> Grant:
    if access.tenant is None:
        raise Unprocessable([_ONE_TENANT])
    _require_plain(request.query_params)
    asked, only = _asked(request), request.query_params.get("only")
    if only not in (None, "named"):
        raise Unprocessable([FieldRefusal("/only", "is `named`")])
    if len(asked["job_id"]) > MOST_JOBS:
        raise Unprocessable([FieldRefusal("/job_id", f"at most {MOST_JOBS}")])
    _check_visible(asked, access)
    wanted = Wanted(
        jobs=frozenset(UUID(job) for job in asked["job_id"]),
        batch=UUID(asked["batch_id"]) if asked["batch_id"] else None,
        owner=asked["owner"],
        named_only=only == "named",
    )
    after = request.headers.get("Last-Event-ID") or request.query_params.get("after")
    bound = "ticket" in request.query_params and any(asked.values())
    return Grant(access=access, wanted=wanted, after=after or None, bound=bound)


def _asked(request: Request) -> dict[str, Any]:
    """The filter of the query, as a ticket was asked for it."""
    query = request.query_params
    batch_id = query.get("batch_id")
    return {
        "job_id": sorted(job.lower() for job in query.getlist("job_id")),
        "batch_id": batch_id and batch_id.lower(),
        "owner": query.get("owner"),
    }


def _require_plain(query: QueryDict) -> None:
    """Else PostgreSQL would refuse it, after the stream's answer has begun."""
    refusals = []
    for name, values in query.lists():
        if len(values) > 1 and name != "job_id":
            refusals.append(FieldRefusal(f"/{name}", "stands more than once"))
        elif any("\x00" in value for value in values):
            refusals.append(FieldRefusal(f"/{name}", "contains a NUL character"))
    if refusals:
        raise Unprocessable(refusals)


def _check_visible(asked: dict[str, Any], access: Access) -> None:
    """Raises NotFound for a job or batch that this caller cannot see."""
    jobs = {as_id(job) for job in asked["job_id"]}
    _require(Job.objects.filter(pk__in=jobs), access, len(jobs))
    if asked["batch_id"] is not None:
        _require(Batch.objects.filter(pk=as_id(asked["batch_id"])), access, 1)


def _require(rows: QuerySet[Any], access: Access, number: int) -> None:
    if number and access.narrow(rows).count() != number:
        raise NotFound
