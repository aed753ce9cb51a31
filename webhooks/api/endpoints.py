"""GET and POST /webhook-endpoints, GET, PATCH and DELETE /webhook-endpoints/{id}."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Access
from accounts.api.idempotency import Answer, once
from accounts.api.paging import PARAMETERS, page_of
from accounts.scopes import Scope
from jobs.api.bodies import body_of
from jobs.api.filters import Filters, condition
from jobs.api.pauses import actor_of
from webhooks import verbs
from webhooks.api import describing
from webhooks.api.bodies import EndpointChange, NewEndpoint
from webhooks.api.documents import (
    EndpointDocument,
    EndpointPage,
    NewEndpointDocument,
    endpoint_document,
    endpoint_documents,
)
from webhooks.api.reach import endpoint_of, endpoints_of, removal_as_not_found
from webhooks.api.view import WebhookView

NOT_STORED = {"Cache-Control": "no-store"}  # of answers with a secret


def _enabled(values: list[str]) -> Q:
    if values[0] not in ("true", "false"):
        raise ValueError("true or false")
    return Q(enabled=values[0] == "true")


FILTERS: Filters = {"enabled": _enabled}


class EndpointsView(WebhookView):
    scopes = {"GET": Scope.WEBHOOKS_READ, "POST": Scope.WEBHOOKS_WRITE}
    keyed = True
    parameters = {"GET": PARAMETERS | FILTERS.keys()}

    @extend_schema(
        operation_id="list_webhook_endpoints", tags=["webhooks"],
        summary="List webhook endpoints, newest first",
        parameters=describing.ENDPOINTS, responses=EndpointPage,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        page = page_of(request, self.access)
        rows = endpoints_of(self.access).filter(condition(request.query_params, FILTERS))
        if page.after is not None:
            rows = rows.filter(pk__lt=page.after)
        return Response(
            page.answer_together(
                rows.order_by("-pk")[: page.limit + 1],  # ids sort by time
                key=lambda endpoint: str(endpoint.pk),
                present=lambda endpoints: endpoint_documents(endpoints, self.access),
            )
        )

    @extend_schema(
        operation_id="create_webhook_endpoint", tags=["webhooks"], summary="Make an endpoint",
        description="It is told of what happens from now on. `secret` is in this answer and "
        "nowhere else.",
        parameters=describing.CREATION, request=NewEndpoint, examples=describing.NEW_ENDPOINTS,
        responses={201: NewEndpointDocument},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given, access = body_of(NewEndpoint, request).definition(), self.access
        by = actor_of(request, access)

        def create() -> Answer:
            made = verbs.create(access.one_tenant, given, by)
            return Answer(
                status=status.HTTP_201_CREATED,
                body={**shown_endpoint(access, made.endpoint.pk), "secret": None},
                shown_once={"secret": made.secret},
            )

        answer = once(request, access, create)
        place = f"{request.path}/{answer.body['id']}"
        headers = {**answer.headers, **NOT_STORED, "Location": place}
        return Response(answer.body, status=answer.status, headers=headers)


class EndpointView(WebhookView):
    scopes = {
        "GET": Scope.WEBHOOKS_READ,
        "PATCH": Scope.WEBHOOKS_WRITE,
        "DELETE": Scope.WEBHOOKS_WRITE,
    }

    @extend_schema(
        operation_id="get_webhook_endpoint", tags=["webhooks"], summary="One endpoint",
        responses=EndpointDocument,
    )  # fmt: skip
    def get(self, request: Request, endpoint_id: str) -> Response:
        return Response(endpoint_document(endpoint_of(self.access, endpoint_id), self.access))

    @extend_schema(
        operation_id="change_webhook_endpoint", tags=["webhooks"], summary="Change an endpoint",
        description="What is on its way already goes to the new URL. Switched on, it is told of "
        "what happens from now on; see `enable` for what it missed.",
        request=EndpointChange, examples=describing.CHANGES, responses=EndpointDocument,
    )  # fmt: skip
    def patch(self, request: Request, endpoint_id: str) -> Response:
        endpoint = endpoint_of(self.access, endpoint_id)  # 404 before anything is said of the body
        changes = body_of(EndpointChange, request).changes
        with removal_as_not_found():
            verbs.change(endpoint, changes, actor_of(request, self.access))
        return Response(endpoint_document(endpoint_of(self.access, endpoint_id), self.access))

    @extend_schema(
        operation_id="delete_webhook_endpoint", tags=["webhooks"], summary="Remove an endpoint",
        description="Nothing is sent to it any more. The log of its deliveries stays its time.",
        responses={204: OpenApiResponse(description="It is removed.")},
    )  # fmt: skip
    def delete(self, request: Request, endpoint_id: str) -> Response:
        endpoint = endpoint_of(self.access, endpoint_id)
        with removal_as_not_found():
            verbs.delete(endpoint, actor_of(request, self.access))
        return Response(status=status.HTTP_204_NO_CONTENT)


def shown_endpoint(access: Access, endpoint_id: UUID) -> dict[str, Any]:
    """As it stands in the transaction."""
    return endpoint_document(endpoints_of(access).get(pk=endpoint_id), access)
