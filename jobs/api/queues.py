"""GET /queues and /queues/{name}: what waits where, of the caller's own jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Access
from accounts.api.view import ApiView
from accounts.scopes import Scope
from jobs.api import describing
from jobs.api.documents import QueueDocument, QueuePage
from jobs.api.paging import PARAMETERS, page_of
from jobs.api.whose import whose_of
from jobs.models import Queue
from jobs.stats import QueueFigures, queues_of


class QueuesView(ApiView):
    scopes = {"GET": Scope.QUEUES_READ}
    parameters = {"GET": PARAMETERS}

    @extend_schema(
        operation_id="list_queues", tags=["queues"], summary="Queues, by name",
        parameters=describing.PAGES, responses=QueuePage,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        page = page_of(request, self.access)
        queues = Queue.objects.order_by("name")
        if page.after is not None:
            queues = queues.filter(name__gt=page.after)
        documents = _documents(list(queues[: page.limit + 1]), self.access)
        return Response(page.answer(documents, key=lambda one: one["name"], present=dict))


class QueueView(ApiView):
    scopes = {"GET": Scope.QUEUES_READ}

    @extend_schema(
        operation_id="get_queue", tags=["queues"], summary="One queue", responses=QueueDocument
    )
    def get(self, request: Request, name: str) -> Response:
        queue = None if "\x00" in name else Queue.objects.filter(pk=name).first()
        if queue is None:
            raise NotFound
        return Response(_documents([queue], self.access)[0])


def _documents(queues: Sequence[Queue], access: Access) -> list[dict[str, Any]]:
    return [_document(queue) for queue in queues_of(whose_of(access), [q.name for q in queues])]


def _document(queue: QueueFigures) -> dict[str, Any]:
    waited = timezone.now() - queue.oldest_at if queue.oldest_at else None
    return {
        "name": queue.name,
        "depth": {level.value: count.number for level, count in queue.depth.items()},
        "counts": {status.value: count.number for status, count in queue.counts.items()},
        "counts_exact": queue.exact,
        "oldest_waiting_seconds": round(waited.total_seconds(), 3) if waited else None,
        "paused": False,
        "max_concurrency": None,
        "rate_limit": None,
        "workers": queue.workers,
    }
