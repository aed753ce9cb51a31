"""GET /workers: who runs jobs."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.moment import shown
from accounts.api.paging import PARAMETERS, page_of
from accounts.api.platform import is_platform_admin
from accounts.api.view import ApiView
from accounts.scopes import Scope
from jobs.api import describing
from jobs.api.figures import WorkerPage
from jobs.api.whose import whose_of
from jobs.stats import WorkerFigures, workers_of


class WorkersView(ApiView):
    scopes = {"GET": Scope.WORKERS_READ}
    parameters = {"GET": PARAMETERS}

    @extend_schema(
        operation_id="list_workers", tags=["workers"], summary="Workers, by name",
        parameters=describing.PAGES, responses=WorkerPage,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        page = page_of(request, self.access)
        workers = workers_of(
            whose_of(self.access),
            after=page.after or "",
            most=page.limit + 1,
            with_ours=is_platform_admin(self.access),
        )
        by_name = page.answer(workers, key=lambda worker: worker.name, present=worker_document)
        return Response(by_name)


def worker_document(worker: WorkerFigures) -> dict[str, Any]:
    return {
        "name": worker.name,
        "state": worker.state.value,
        "queues": list(worker.queues),
        "slots": worker.slots,
        "current_jobs": [str(job) for job in worker.current_jobs],
        "version": worker.version,
        "memory_bytes": worker.memory_bytes,
        "started_at": shown(worker.started_at),
        "seen_at": shown(worker.seen_at),
    }
