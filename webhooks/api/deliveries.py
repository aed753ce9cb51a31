"""GET /webhook-deliveries, GET /webhook-deliveries/{id}, POST …/{id}/redeliver."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.http import QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import moment
from accounts.api.describing import IDEMPOTENCY_KEY
from accounts.api.idempotency import Answer, once
from accounts.api.paging import PARAMETERS, page_of
from accounts.api.refusals import FieldRefusal, Unprocessable
from accounts.scopes import Scope
from jobs.api.bodies import optional_body_of
from jobs.api.pauses import actor_of
from webhooks import redelivering
from webhooks.api import describing
from webhooks.api.bodies import Nothing
from webhooks.api.deliveries_documents import (
    DeliveryDocument,
    DeliveryPage,
    WholeDeliveryDocument,
    delivery_document,
    whole_delivery_document,
)
from webhooks.api.reach import delivery_of, removal_as_not_found
from webhooks.api.searching import WINDOW, Search, find
from webhooks.api.view import WebhookView
from webhooks.policies import DELIVERED_EVENTS, DeliveryStatus


def _id(text: str) -> UUID:
    if len(text) != 36:  # UUID() also takes braces, urn: and no hyphens
        raise ValueError("an id is a UUID")
    return UUID(text)


def _one_of(known: list[str]) -> Callable[[str], str]:
    def checked(text: str) -> str:
        if text not in known:
            raise ValueError(f"one of {', '.join(known)}")
        return text

    return checked


FILTERS: Mapping[str, Callable[[str], Any]] = {
    "endpoint_id": _id,
    "job_id": _id,
    "event": _one_of(list(DELIVERED_EVENTS)),
    "status": _one_of(DeliveryStatus.values),
    "since": moment.parsed,
    "until": moment.parsed,
}


class DeliveriesView(WebhookView):
    scopes = {"GET": Scope.WEBHOOKS_READ}
    parameters = {"GET": PARAMETERS | FILTERS.keys()}

    @extend_schema(
        operation_id="list_webhook_deliveries", tags=["webhooks"],
        summary="What was sent, or is to be, newest first",
        description="With `event` and `status` at once, with `since` or with `until` a page comes "
        f"of {WINDOW:,} deliveries looked through: it may have fewer items than asked, or none, "
        "and yet a `next_cursor`.",
        parameters=describing.DELIVERIES, responses=DeliveryPage,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        page = page_of(request, self.access)
        search = asked(request.query_params)
        below = None if page.after is None else UUID(page.after)
        found = find(search, self.access, below=below, most=page.limit + 1)
        return Response(
            page.answer(
                found.deliveries,
                key=lambda delivery: str(delivery.pk),
                present=lambda delivery: delivery_document(delivery, self.access),
                seen_to=found.seen_to and str(found.seen_to),
            )
        )


class DeliveryView(WebhookView):
    scopes = {"GET": Scope.WEBHOOKS_READ}

    @extend_schema(
        operation_id="get_webhook_delivery", tags=["webhooks"],
        summary="One delivery, with its log and what is sent",
        description="`body` is null for a token without `jobs:read`.",
        responses=WholeDeliveryDocument,
    )  # fmt: skip
    def get(self, request: Request, delivery_id: str) -> Response:
        return Response(whole_delivery_document(delivery_of(self.access, delivery_id), self.access))


class RedeliverView(WebhookView):
    scopes = {"POST": Scope.WEBHOOKS_WRITE}
    keyed = True

    @extend_schema(
        operation_id="redeliver_webhook_delivery", tags=["webhooks"],
        summary="Send a delivery again",
        description="The same event with the same `webhook-id`, signed anew; its log goes on. One "
        "that is on its way already stays as it is. 409 where its endpoint is disabled or removed.",
        parameters=[IDEMPOTENCY_KEY], request=None, responses={202: DeliveryDocument},
    )  # fmt: skip
    def post(self, request: Request, delivery_id: str) -> Response:
        access, by = self.access, actor_of(request, self.access)

        def redeliver() -> Answer:
            delivery = delivery_of(access, delivery_id)
            optional_body_of(Nothing, request)
            redelivering.redeliver(delivery, by)
            sent = delivery_document(delivery_of(access, delivery_id), access)
            return Answer(status=status.HTTP_202_ACCEPTED, body=sent)

        with removal_as_not_found():
            answer = once(request, access, redeliver)
        return Response(answer.body, status=answer.status, headers=answer.headers)


def asked(query: QueryDict) -> Search:
    """Raises Unprocessable with every filter that is wrong."""
    values, refusals = {}, []
    for name, parse in FILTERS.items():
        if name in query:
            try:
                values[name] = _parsed(parse, query.getlist(name))
            except ValueError as error:
                refusals.append(FieldRefusal(f"/{name}", str(error)))
    if refusals:
        raise Unprocessable(refusals)
    return Search(**values)


def _parsed(parse: Callable[[str], Any], values: list[str]) -> Any:
    if len(values) > 1:
        raise ValueError("stands more than once")
    return parse(values[0])
