"""GET /health: is everything there that jobs need?"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError
from drf_spectacular.utils import OpenApiResponse, extend_schema
from pydantic import BaseModel
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.moment import shown
from accounts.api.view import ApiView
from config.vitals.alerts import Alert, AlertKind
from config.vitals.health import (
    Component,
    Condition,
    Health,
    Verdict,
    health_of,
    without_database,
)
from jobs.api.whose import whose_of
from jobs.stats import WorkerState

logger = logging.getLogger(__name__)


class ServerDocument(BaseModel):
    """`latency_ms`: how long its answer took; null without one."""

    status: Condition
    latency_ms: float | None


class DutyDocument(BaseModel):
    """`silent_seconds`: since when nobody shows that it is done; null where nobody ever did."""

    status: Condition
    silent_seconds: float | None


class WorkerHealthDocument(BaseModel):
    name: str
    state: WorkerState
    current_jobs: list[UUID]


class QueueHealthDocument(BaseModel):
    """`count`: the caller's queued jobs; `workers`: how many consume it; `unknown_types`: of jobs
    that wait, those that no live worker of the queue knows."""

    name: str
    count: int
    count_exact: bool
    workers: int
    unknown_types: list[str]


class AlertDocument(BaseModel):
    """`schedule_missed`: runs of a schedule were left out, refused or late within the last hour
    (`ALERT_SCHEDULE_MISSED_SECONDS`). `schedule_overdue`: its time has passed, and nobody fires it.
    `object` is what it is about, as `schedule:ID`; `since` the first moment that is meant."""

    kind: AlertKind
    detail: str
    object: str
    since: datetime


class HealthDocument(BaseModel):
    """Unhealthy: no database. Degraded: no broker, no Redis, no dispatcher leader for 10 seconds,
    no beat for two minutes, no worker that consumes a queue with jobs of the caller and knows
    their types, or a schedule of the caller that nobody fires. Other alerts degrade nothing; there
    are at most 20 of each kind."""

    status: Verdict
    database: ServerDocument
    redis: ServerDocument
    broker: ServerDocument
    dispatcher: DutyDocument
    scheduler: DutyDocument
    workers: list[WorkerHealthDocument]
    queues: list[QueueHealthDocument]
    alerts: list[AlertDocument]


class HealthView(ApiView):
    scopes = {"GET": None}
    _is_known = False

    @extend_schema(
        operation_id="health", tags=["figures"], summary="Is everything there that jobs need?",
        responses={200: HealthDocument, 503: OpenApiResponse(HealthDocument, "Unhealthy.")},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        return _answer(health_of(whose_of(self.access)))

    def perform_authentication(self, request: Request) -> None:
        super().perform_authentication(request)
        self._is_known = request.user is not None

    def handle_exception(self, exc: Exception) -> Response:
        """The database may be away before it is known who asks."""
        if not isinstance(exc, (OperationalError, InterfaceError)):
            return super().handle_exception(exc)
        logger.warning("unhealthy: the database does not answer (%s)", type(exc).__name__)
        return _answer(without_database(to_stranger=not self._is_known))


def _answer(health: Health) -> Response:
    if health.verdict == Verdict.UNHEALTHY:
        return Response(_document(health), status=503, headers={"Retry-After": "5"})
    return Response(_document(health))


def _document(health: Health) -> dict[str, Any]:
    return {
        "status": health.verdict.value,
        "database": _server(health.database),
        "redis": _server(health.redis),
        "broker": _server(health.broker),
        "dispatcher": _duty(health.dispatcher),
        "scheduler": _duty(health.scheduler),
        "workers": [
            {
                "name": worker.name,
                "state": worker.state.value,
                "current_jobs": [str(job) for job in worker.current_jobs],
            }
            for worker in health.workers
        ],
        "queues": [
            {
                "name": queue.name,
                "count": queue.waiting.number,
                "count_exact": queue.waiting.exact,
                "workers": queue.workers,
                "unknown_types": list(queue.unknown_types),
            }
            for queue in health.queues
        ],
        "alerts": [_alert(alert) for alert in health.alerts],
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "kind": alert.kind.value,
        "detail": alert.detail,
        "object": alert.object,
        "since": shown(alert.since),
    }


def _server(component: Component) -> dict[str, Any]:
    seconds = component.seconds
    return {
        "status": component.condition.value,
        "latency_ms": None if seconds is None else round(seconds * 1000, 3),
    }


def _duty(component: Component) -> dict[str, Any]:
    seconds = component.seconds
    return {
        "status": component.condition.value,
        "silent_seconds": None if seconds is None else round(seconds, 3),
    }
