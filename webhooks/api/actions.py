"""POST /webhook-endpoints/{id}/rotate-secret, /test, /enable and /replay."""

from __future__ import annotations

from datetime import datetime

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.describing import IDEMPOTENCY_KEY
from accounts.api.idempotency import Answer, once
from accounts.api.refusals import FieldRefusal, Unprocessable
from accounts.rate_limits.rates import CallKind
from accounts.scopes import Scope
from jobs.api.bodies import body_of, optional_body_of
from jobs.api.describing import MAY_BE_EMPTY
from jobs.api.pauses import actor_of
from webhooks import redelivering, secrets, verbs
from webhooks.api import describing
from webhooks.api.bodies import Enabling, Nothing, Replay, Rotation, Which
from webhooks.api.deliveries_documents import DeliveryDocument, delivery_document
from webhooks.api.documents import (
    EnabledEndpointDocument,
    NewSecretDocument,
    ReplayedDocument,
    replayed_document,
)
from webhooks.api.endpoints import NOT_STORED, shown_endpoint
from webhooks.api.reach import delivery_of, endpoint_of, removal_as_not_found
from webhooks.api.secret_answer import secret_answer
from webhooks.api.view import WebhookView


class RotateView(WebhookView):
    scopes = {"POST": Scope.WEBHOOKS_WRITE}
    keyed = True

    @extend_schema(
        operation_id="rotate_webhook_endpoint_secret", tags=["webhooks"],
        summary="Give an endpoint a new secret",
        description="`secret` is in this answer and nowhere else. Until `expires_at` each request "
        "is signed by both.",
        parameters=[IDEMPOTENCY_KEY], request=Rotation, responses=NewSecretDocument,
        extensions=MAY_BE_EMPTY,
    )  # fmt: skip
    def post(self, request: Request, endpoint_id: str) -> Response:
        access, by = self.access, actor_of(request, self.access)

        def rotate() -> Answer:
            endpoint = endpoint_of(access, endpoint_id)
            keep = optional_body_of(Rotation, request).keep_seconds
            secret = verbs.rotate_secret(endpoint, by, keep_for=keep)
            return secret_answer(secret, secrets.former_until(endpoint.tenant, endpoint))

        with removal_as_not_found():
            answer = once(request, access, rotate)
        headers = {**answer.headers, **NOT_STORED}
        return Response(answer.body, status=answer.status, headers=headers)


class TestView(WebhookView):
    scopes = {"POST": Scope.WEBHOOKS_WRITE}
    keyed = True

    @extend_schema(
        operation_id="test_webhook_endpoint", tags=["webhooks"],
        summary="Send an endpoint a test event",
        description="`endpoint.test`, whatever it listens to. Its delivery tells what came of it. "
        "409 where the endpoint is disabled.",
        parameters=[IDEMPOTENCY_KEY], request=None, responses={202: DeliveryDocument},
    )  # fmt: skip
    def post(self, request: Request, endpoint_id: str) -> Response:
        access, by = self.access, actor_of(request, self.access)

        def test() -> Answer:
            endpoint = endpoint_of(access, endpoint_id)
            optional_body_of(Nothing, request)
            sent = delivery_of(access, verbs.test(endpoint, by).pk)
            return Answer(status=status.HTTP_202_ACCEPTED, body=delivery_document(sent, access))

        with removal_as_not_found():
            answer = once(request, access, test)
        return Response(answer.body, status=answer.status, headers=answer.headers)


class EnableView(WebhookView):
    scopes = {"POST": Scope.WEBHOOKS_WRITE}
    kinds = {"POST": CallKind.BATCH}
    keyed = True

    @extend_schema(
        operation_id="enable_webhook_endpoint", tags=["webhooks"],
        summary="Switch an endpoint on, whatever switched it off",
        description="With `replay_since` it is also sent what it missed; `replayed` says how many.",
        parameters=[IDEMPOTENCY_KEY], request=Enabling, responses=EnabledEndpointDocument,
        extensions=MAY_BE_EMPTY,
    )  # fmt: skip
    def post(self, request: Request, endpoint_id: str) -> Response:
        access, by = self.access, actor_of(request, self.access)

        def enable() -> Answer:
            endpoint = endpoint_of(access, endpoint_id)
            since = optional_body_of(Enabling, request).replay_since
            row = verbs.enable(endpoint, by)
            done = None if since is None else redelivering.replay(row, by, since=since)
            told = {} if done is None else {"replayed": replayed_document(done)}
            return Answer(
                status=status.HTTP_200_OK, body={**shown_endpoint(access, row.pk), **told}
            )

        with removal_as_not_found():
            answer = once(request, access, enable)
        return Response(answer.body, status=answer.status, headers=answer.headers)


class ReplayView(WebhookView):
    scopes = {"POST": Scope.WEBHOOKS_WRITE}
    kinds = {"POST": CallKind.BATCH}
    keyed = True

    @extend_schema(
        operation_id="replay_webhook_endpoint", tags=["webhooks"],
        summary="Send an endpoint again what it was to be told since a time",
        description=f"Oldest first, at most {redelivering.MOST_AT_ONCE:,} in one call. 409 where "
        "the endpoint is disabled.",
        parameters=[IDEMPOTENCY_KEY], request=Replay, examples=describing.REPLAYS,
        responses={202: ReplayedDocument},
    )  # fmt: skip
    def post(self, request: Request, endpoint_id: str) -> Response:
        access, by = self.access, actor_of(request, self.access)

        def replay() -> Answer:
            endpoint, wish = endpoint_of(access, endpoint_id), body_of(Replay, request)
            _require_order(wish.since, wish.until)
            done = redelivering.replay(
                endpoint, by, since=wish.since, until=wish.until,
                failed_only=wish.status is Which.FAILED, after=wish.after,
            )  # fmt: skip
            return Answer(status=status.HTTP_202_ACCEPTED, body=replayed_document(done))

        with removal_as_not_found():
            answer = once(request, access, replay)
        return Response(answer.body, status=answer.status, headers=answer.headers)


def _require_order(since: datetime, until: datetime | None) -> None:
    if until is not None and until <= since:
        raise Unprocessable([FieldRefusal("/until", "is not after since")])
