"""The figures at the head of the first page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from accounts.models import Tenant
from config.vitals.health import Health
from jobs.admin.figures import counted
from jobs.states import Status
from jobs.stats import Overview, Window, WorkerState
from jobs.stats.histogram import quantile
from jobs.wording import duration, figure, roughly

FAILING_FROM = 0.1  # a share of failures that calls for attention


@dataclass(frozen=True, kw_only=True)
class Tile:
    label: str
    value: str
    note: str
    url: str = ""
    warns: bool = False


def tiles(
    figures: Overview, health: Health, now: datetime, tenant: Tenant | None
) -> Sequence[Tile]:
    return [
        _waiting(figures, tenant),
        _oldest(figures, now),
        _running(figures, health, tenant),
        _finished(figures),
        _failing(figures),
        _failed(figures, tenant),
        _wait(figures),
    ]


def _waiting(figures: Overview, tenant: Tenant | None) -> Tile:
    return Tile(
        label="Waiting",
        value=counted(figures.counts.statuses[Status.QUEUED]),
        note=" · ".join(_later(figures)) or "none scheduled or blocked",
        url=_jobs(Status.QUEUED, tenant),
    )


def _later(figures: Overview) -> Iterator[str]:
    for status in (Status.SCHEDULED, Status.BLOCKED):
        count = figures.counts.statuses[status]
        if count.number:
            yield f"{counted(count)} {status.value}"


def _oldest(figures: Overview, now: datetime) -> Tile:
    if figures.oldest is None:
        return Tile(label="Oldest waiting", value="–", note="no job waits")
    return Tile(
        label="Oldest waiting",
        value=roughly((now - figures.oldest.created_at).total_seconds()),
        note=figures.oldest.type,
        url=reverse("admin:jobs_job_change", args=[figures.oldest.pk]),
    )


def _running(figures: Overview, health: Health, tenant: Tenant | None) -> Tile:
    live = [one for one in health.workers if one.state != WorkerState.LOST]
    slots = sum(worker.slots for worker in live)
    return Tile(
        label="Running",
        value=counted(figures.counts.statuses[Status.PROCESSING]),
        note=f"{slots} {_plural('slot', slots)} on {len(live)} {_plural('worker', len(live))}",
        url=_jobs(Status.PROCESSING, tenant),
        warns=not live,
    )


def _finished(figures: Overview) -> Tile:
    minute, hour = (figures.measured.windows[one] for one in (Window.MINUTE, Window.HOUR))
    return Tile(
        label="Per minute",
        value=figure(minute.finished),
        note=f"ended; {figure(hour.finished)} in the last hour",
    )


def _failing(figures: Overview) -> Tile:
    hour = figures.measured.windows[Window.HOUR]
    rate = hour.failure_rate
    return Tile(
        label="Failure rate",
        value="–" if rate is None else f"{100 * rate:.3g} %",
        note=f"{figure(hour.failed)} of {figure(hour.finished)} in the last hour",
        warns=rate is not None and rate > FAILING_FROM,
    )


def _failed(figures: Overview, tenant: Tenant | None) -> Tile:
    return Tile(
        label="Failed",
        value=counted(figures.counts.statuses[Status.FAILED]),
        note="kept to be retried or discarded",
        url=_jobs(Status.FAILED, tenant),
    )


def _wait(figures: Overview) -> Tile:
    hour = figures.measured.windows[Window.HOUR]
    return Tile(
        label="Wait, p95",
        value=_seconds(quantile(hour.waits, 0.95)),
        note=f"median {_seconds(quantile(hour.waits, 0.5))}, last hour",
    )


def _seconds(value: float | None) -> str:
    return "–" if value is None else duration(value)


def _jobs(status: Status, tenant: Tenant | None) -> str:
    wanted = {"status": status.value, **({"tenant": tenant.slug} if tenant else {})}
    return f"{reverse('admin:jobs_job_changelist')}?{urlencode(wanted)}"


def _plural(word: str, number: int) -> str:
    return word if number == 1 else f"{word}s"
