"""POST /workers/{name}/pause, /resume, /shutdown and /restart."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.platform import require_platform_admin
from accounts.api.view import ApiView
from accounts.scopes import Scope
from jobs import worker_verbs
from jobs.api.bodies import Body, optional_body_of
from jobs.api.figures import WorkerDocument
from jobs.api.pauses import actor_of
from jobs.api.whose import whose_of
from jobs.api.workers import worker_document
from jobs.models import Worker
from jobs.operations import Actor
from jobs.stats import workers_of

Verb = Callable[[str, Actor], Worker]
_REFUSED = "409 for one that is lost or about to stop."


class _Nothing(Body):
    """No fields."""


class _ActionView(ApiView):
    scopes = {"POST": Scope.ADMIN}

    def act(self, verb: Verb, request: Request, name: str) -> Response:
        """The worker as it then is."""
        require_platform_admin(self.access)
        optional_body_of(_Nothing, request)
        with transaction.atomic():
            try:
                verb(name, actor_of(request, self.access))
            except Worker.DoesNotExist:
                raise NotFound from None
            (figures,) = workers_of(whose_of(self.access), name=name)
        return Response(worker_document(figures))


class PauseWorkerView(_ActionView):
    @extend_schema(
        operation_id="pause_worker", tags=["workers"], summary="Let a worker take no further job",
        description="For platform admins. Jobs that run go on. It lasts until it is resumed or "
        f"begins anew, and does not need the broker. {_REFUSED}",
        request=None, responses=WorkerDocument,
    )  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        return self.act(worker_verbs.pause, request, name)


class ResumeWorkerView(_ActionView):
    @extend_schema(
        operation_id="resume_worker", tags=["workers"], summary="Let a worker take jobs again",
        description=f"For platform admins. One that is not paused stays as it is. {_REFUSED}",
        request=None, responses=WorkerDocument,
    )  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        return self.act(worker_verbs.resume, request, name)


class ShutdownWorkerView(_ActionView):
    @extend_schema(
        operation_id="shut_down_worker", tags=["workers"], summary="End a worker",
        description="For platform admins. It takes no further job, ends those that run however "
        f"long they take, and stays down. {_REFUSED}",
        request=None, responses=WorkerDocument,
    )  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        return self.act(worker_verbs.shutdown, request, name)


class RestartWorkerView(_ActionView):
    @extend_schema(
        operation_id="restart_worker", tags=["workers"], summary="Let a worker begin anew",
        description="For platform admins. It takes no further job, ends those that run however "
        f"long they take, and comes back under its name, with the code that is there then. "
        f"{_REFUSED}",
        request=None, responses=WorkerDocument,
    )  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        return self.act(worker_verbs.restart, request, name)
