"""GET /queues and /queues/{name}: what waits where, of the caller's own jobs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Case, CharField, Count, Min, Value, When
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
from jobs.models import Job, Queue, Worker
from jobs.priorities import FLOORS, Level
from jobs.states import Status


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


@dataclass(kw_only=True)
class _Tally:
    counts: Counter[str] = field(default_factory=Counter)
    depth: Counter[str] = field(default_factory=Counter)
    oldest: datetime | None = None


_LEVEL = Case(
    *(When(priority__gte=floor, then=Value(level.value)) for level, floor in FLOORS.items()),
    output_field=CharField(),
)


def _documents(queues: Sequence[Queue], access: Access) -> list[dict[str, Any]]:
    tallies, workers = _tallies(queues, access), _workers()
    return [_document(queue, tallies[queue.name], workers[queue.name]) for queue in queues]


def _tallies(queues: Sequence[Queue], access: Access) -> defaultdict[str, _Tally]:
    groups = (
        access.narrow(Job.objects.filter(queue__in=queues))
        .values_list("queue_id", "status", _LEVEL)
        .annotate(number=Count("pk"), oldest=Min("created_at"))
    )
    tallies: defaultdict[str, _Tally] = defaultdict(_Tally)
    for queue, status, level, number, oldest in groups:
        tally = tallies[queue]
        tally.counts[status] += number
        if status == Status.QUEUED:
            tally.depth[level] += number
            tally.oldest = min(tally.oldest or oldest, oldest)
    return tallies


def _workers() -> Counter[str]:
    """How many live workers consume each queue."""
    alive = timezone.now() - timedelta(seconds=settings.LEASE_SECONDS)
    consumed = Worker.objects.filter(seen_at__gt=alive).values_list("queues", flat=True)
    return Counter(queue for queues in consumed for queue in queues)


def _document(queue: Queue, tally: _Tally, workers: int) -> dict[str, Any]:
    waited = timezone.now() - tally.oldest if tally.oldest else None
    return {
        "name": queue.name,
        "depth": {level.value: tally.depth[level.value] for level in Level},
        "counts": {status.value: tally.counts[status.value] for status in Status},
        "oldest_waiting_seconds": round(waited.total_seconds(), 3) if waited else None,
        "paused": False,
        "max_concurrency": None,
        "rate_limit": None,
        "workers": workers,
    }
