"""GET /stats and /stats/series: figures about the caller's own jobs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Access
from accounts.api.moment import shown
from accounts.api.refusals import FieldRefusal, Unprocessable
from accounts.api.view import ApiView
from accounts.scopes import Scope
from jobs.api.figures import SeriesDocument, StatsDocument
from jobs.api.whose import whose_of
from jobs.effective import priorities, priority_of
from jobs.models import Job
from jobs.priorities import level_of
from jobs.stats import METRICS, Overview, Series, Window, overview, series_of
from jobs.stats.histogram import quantile
from jobs.stats.series import DEFAULT_STEPS, MOST_POINTS, SPANS, STEPS

DEFAULT_SPAN = "1h"


class StatsView(ApiView):
    scopes = {"GET": Scope.JOBS_READ}

    @extend_schema(
        operation_id="stats", tags=["figures"], summary="Counts, throughput, waits, recent jobs",
        responses=StatsDocument,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        return Response(_document(overview(whose_of(self.access)), self.access))


class SeriesView(ApiView):
    scopes = {"GET": Scope.JOBS_READ}
    parameters = {"GET": frozenset({"metric", "range", "step"})}

    @extend_schema(
        operation_id="stats_series", tags=["figures"], summary="Points of a chart",
        parameters=[
            OpenApiParameter("metric", str, enum=METRICS, required=True),
            OpenApiParameter("range", str, enum=list(SPANS), description="Default 1h."),
            OpenApiParameter(
                "step", str, enum=list(STEPS),
                description=f"Default by range. At most {MOST_POINTS} points.",
            ),
        ],
        responses=SeriesDocument,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        metric, span, step = _asked(request)
        if self.access.principal.owner:
            raise PermissionDenied("There are no charts of one owner's jobs.")
        series = series_of(whose_of(self.access), metric, span=SPANS[span], step=STEPS[step])
        return Response(_series_document(series, span, step))


def _asked(request: Request) -> tuple[str, str, str]:
    """Metric, range and step. Raises Unprocessable."""
    metric = _one_of("metric", METRICS, request)
    span = _one_of("range", SPANS, request, default=DEFAULT_SPAN)
    step = _one_of("step", STEPS, request, default=DEFAULT_STEPS[span])
    if SPANS[span] // STEPS[step] > MOST_POINTS:
        raise Unprocessable([FieldRefusal("/step", f"makes more than {MOST_POINTS} points")])
    return metric, span, step


def _one_of(name: str, known: Collection[str], request: Request, *, default: str = "") -> str:
    values = request.query_params.getlist(name) or [default]
    if len(values) > 1:
        raise Unprocessable([FieldRefusal(f"/{name}", "stands more than once")])
    if values[0] not in known:
        raise Unprocessable([FieldRefusal(f"/{name}", f"one of {', '.join(known)}")])
    return values[0]


def _document(figures: Overview, access: Access) -> dict[str, Any]:
    windows, counts = figures.measured.windows, figures.counts
    waits = windows[Window.HOUR].waits
    return {
        "counts": {
            "status": {status.value: count.number for status, count in counts.statuses.items()},
            "level": {level.value: count.number for level, count in counts.levels.items()},
        },
        "counts_exact": counts.exact,
        "throughput": {window.value: windows[window].finished for window in Window},
        "failure_rate": {window.value: windows[window].failure_rate for window in Window},
        "live": figures.measured.live,
        "avg_duration_seconds": _rounded(figures.average_seconds),
        "estimated_wait_seconds": _rounded(figures.estimated_wait_seconds),
        "wait": {
            name: _rounded(quantile(waits, share))
            for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
        },
        "retry_success_rate": figures.retry_success_rate,
        "oldest_waiting_job": _oldest_document(figures.oldest, access),
        "recent_jobs": [
            _summary(job, access, priority) for job, priority in _with_priorities(figures.newest)
        ],
    }


def _oldest_document(job: Job | None, access: Access) -> dict[str, Any] | None:
    if job is None:
        return None
    waited = (timezone.now() - job.created_at).total_seconds()
    return {
        **_summary(job, access, priority_of(job)),
        "waiting_seconds": round(max(0.0, waited), 3),
    }


def _with_priorities(jobs: Sequence[Job]) -> list[tuple[Job, int]]:
    known = priorities(jobs)
    return [(job, known[job.pk]) for job in jobs]


def _summary(job: Job, access: Access, priority: int) -> dict[str, Any]:
    document = {
        "id": str(job.id),
        "type": job.type,
        "status": str(job.status),
        "queue": job.queue_id,
        "owner": job.owner or None,
        "priority": priority,
        "level": str(level_of(priority)),
        "progress": job.progress,
        "attempt": job.attempt,
        "retry_count": job.retry_count,
        "created_at": shown(job.created_at),
        "started_at": shown(job.started_at),
        "completed_at": shown(job.completed_at),
        "cancelled_at": shown(job.cancelled_at),
    }
    return document if access.tenant else {**document, "tenant": job.tenant.slug}


def _series_document(series: Series, span: str, step: str) -> dict[str, Any]:
    return {
        "metric": series.metric,
        "range": span,
        "step": step,
        "unit": series.unit,
        "points": [
            {"at": shown(point.at), "value": _rounded(point.value)} for point in series.points
        ],
    }


def _rounded(number: float | None) -> float | None:
    """To the microsecond; what lies behind is noise."""
    return None if number is None else round(number, 6)
