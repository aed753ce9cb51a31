"""POST /queues/{name}/pause and /resume."""

from __future__ import annotations

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.platform import require_platform_admin
from accounts.api.view import ApiView
from accounts.scopes import Scope
from jobs.api import describing
from jobs.api.bodies import Body, optional_body_of
from jobs.api.documents import QueueDocument
from jobs.api.pauses import actor_of
from jobs.api.policy_bodies import PauseTerms
from jobs.api.queues import queue_of, shown_queue
from jobs.models import PauseKind
from jobs.policies import pausing


class _Nothing(Body):
    """No fields."""


class PauseQueueView(ApiView):
    scopes = {"POST": Scope.ADMIN}

    @extend_schema(
        operation_id="pause_queue", tags=["queues"], summary="Start no more jobs of a queue",
        description="For platform admins. Jobs that run go on; what was sent and not started is "
        "taken back. A queue that is paused gets this reason and this end.",
        request=PauseTerms, responses=QueueDocument, extensions=describing.MAY_BE_EMPTY,
    )  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        require_platform_admin(self.access)
        queue, body = queue_of(name), optional_body_of(PauseTerms, request)
        by = actor_of(request, self.access)
        with transaction.atomic():
            pausing.pause(PauseKind.QUEUE, queue.pk, by, reason=body.reason, until=body.until)
            return Response(shown_queue(queue, self.access))


class ResumeQueueView(ApiView):
    scopes = {"POST": Scope.ADMIN}

    @extend_schema(
        operation_id="resume_queue", tags=["queues"], summary="End the pause of a queue",
        description="For platform admins. A queue that is not paused stays as it is.",
        request=None, responses=QueueDocument,
    )  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        require_platform_admin(self.access)
        optional_body_of(_Nothing, request)
        queue = queue_of(name)
        with transaction.atomic():
            pausing.resume(PauseKind.QUEUE, queue.pk, actor_of(request, self.access))
            return Response(shown_queue(queue, self.access))
