"""POST /webhook-secret/rotate: what signs requests to the `webhook_url` of jobs."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.describing import IDEMPOTENCY_KEY
from accounts.api.idempotency import Answer, once
from accounts.scopes import Scope
from jobs.api.bodies import optional_body_of
from jobs.api.describing import MAY_BE_EMPTY
from jobs.api.pauses import actor_of
from webhooks import secrets, verbs
from webhooks.api.bodies import Rotation
from webhooks.api.documents import NewSecretDocument
from webhooks.api.endpoints import NOT_STORED
from webhooks.api.secret_answer import secret_answer
from webhooks.api.view import WebhookView


class OwnSecretView(WebhookView):
    scopes = {"POST": Scope.WEBHOOKS_WRITE}
    keyed = True

    @extend_schema(
        operation_id="rotate_webhook_secret", tags=["webhooks"],
        summary="Give the tenant a new secret of its own",
        description="It signs requests to the `webhook_url` of jobs. `secret` is in this answer "
        "and nowhere else. Until `expires_at` each request is signed by both.",
        parameters=[IDEMPOTENCY_KEY], request=Rotation, responses=NewSecretDocument,
        extensions=MAY_BE_EMPTY,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        access, by = self.access, actor_of(request, self.access)
        keep = optional_body_of(Rotation, request).keep_seconds

        def rotate() -> Answer:
            secret = verbs.rotate_own_secret(access.one_tenant, by, keep_for=keep)
            return secret_answer(secret, secrets.former_until(access.one_tenant, None))

        answer = once(request, access, rotate)
        headers = {**answer.headers, **NOT_STORED}
        return Response(answer.body, status=answer.status, headers=headers)
