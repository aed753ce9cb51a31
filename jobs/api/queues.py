"""/queues and /queues/{name}: what waits where, of the caller's own jobs; and the limits there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Access
from accounts.api.idempotency import Answer, once
from accounts.api.paging import PARAMETERS, page_of
from accounts.api.platform import require_platform_admin
from accounts.api.view import ApiView
from accounts.scopes import Scope
from jobs.api import describing
from jobs.api.bodies import body_of
from jobs.api.documents import QueueDocument, QueuePage
from jobs.api.pauses import actor_of
from jobs.api.policy_bodies import NewQueue, QueueLimits
from jobs.api.whose import whose_of
from jobs.models import Pause, PauseKind, Queue
from jobs.policies import limiting
from jobs.policies.pausing import IN_FORCE
from jobs.stats import QueueFigures, queues_of


class QueuesView(ApiView):
    scopes = {"GET": Scope.QUEUES_READ, "POST": Scope.ADMIN}
    keyed = True
    parameters = {"GET": PARAMETERS}

    @extend_schema(
        operation_id="list_queues", tags=["queues"], summary="Queues, by name",
        parameters=describing.PAGES, responses=QueuePage,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        page = page_of(request, self.access)
        queues = Queue.objects.filter(internal=False).order_by("name")
        if page.after is not None:
            queues = queues.filter(name__gt=page.after)
        documents = _documents(list(queues[: page.limit + 1]), self.access)
        return Response(page.answer(documents, key=lambda one: one["name"], present=dict))

    @extend_schema(
        operation_id="create_queue", tags=["queues"], summary="Make a queue",
        description="For platform admins. 409 where there is one of this name.",
        parameters=[describing.CREATION[0]], request=NewQueue, responses={201: QueueDocument},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        require_platform_admin(self.access)
        body, by = body_of(NewQueue, request), actor_of(request, self.access)

        def create() -> Answer:
            queue = limiting.make(body.name, body.model_dump(include=set(limiting.LIMITS)), by)
            return Answer(status=status.HTTP_201_CREATED, body=shown_queue(queue, self.access))

        answer = once(request, self.access, create)
        return Response(answer.body, status=answer.status, headers=answer.headers)


class QueueView(ApiView):
    scopes = {"GET": Scope.QUEUES_READ, "PATCH": Scope.ADMIN}

    @extend_schema(
        operation_id="get_queue", tags=["queues"], summary="One queue", responses=QueueDocument
    )
    def get(self, request: Request, name: str) -> Response:
        return Response(shown_queue(queue_of(name), self.access))

    @extend_schema(
        operation_id="change_queue", tags=["queues"], summary="Limit a queue",
        description="For platform admins. Messages sent and not started are taken back, and sent "
        "again as the new limits allow; jobs that run go on.",
        request=QueueLimits, responses=QueueDocument,
    )  # fmt: skip
    def patch(self, request: Request, name: str) -> Response:
        require_platform_admin(self.access)
        queue, body = queue_of(name), body_of(QueueLimits, request)
        by = actor_of(request, self.access)
        with transaction.atomic():
            after = limiting.change(queue.pk, body.model_dump(exclude_unset=True), by)
            return Response(shown_queue(after, self.access))


def queue_of(name: str) -> Queue:
    """Raises NotFound."""
    queue = None if "\x00" in name else Queue.objects.filter(pk=name, internal=False).first()
    if queue is None:
        raise NotFound
    return queue


def shown_queue(queue: Queue, access: Access) -> dict[str, Any]:
    return _documents([queue], access)[0]


def _documents(queues: Sequence[Queue], access: Access) -> list[dict[str, Any]]:
    rows = {queue.name: queue for queue in queues}
    paused = set(
        Pause.objects.filter(IN_FORCE, kind=PauseKind.QUEUE).values_list("target", flat=True)
    )
    return [
        _document(figures, rows[figures.name], paused=figures.name in paused)
        for figures in queues_of(whose_of(access), list(rows))
    ]


def _document(queue: QueueFigures, row: Queue, *, paused: bool) -> dict[str, Any]:
    waited = timezone.now() - queue.oldest_at if queue.oldest_at else None
    return {
        "name": queue.name,
        "depth": {level.value: count.number for level, count in queue.depth.items()},
        "counts": {status.value: count.number for status, count in queue.counts.items()},
        "counts_exact": queue.exact,
        "oldest_waiting_seconds": round(waited.total_seconds(), 3) if waited else None,
        "paused": paused,
        "max_concurrency": row.max_concurrency,
        "rate_limit": row.rate_limit or None,
        "weight": row.weight,
        "workers": queue.workers,
    }
