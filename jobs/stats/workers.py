"""Workers as they last reported themselves, and what they run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db.models import Case, Q, When
from django.db.models.functions import Now

from jobs import registry
from jobs.dispatcher.selection import WORKER_SILENT_AFTER
from jobs.models import Job, Wish, Worker
from jobs.states import Status
from jobs.stats.whose import Whose

# A worker that vanished is shown as lost for so long; names of containers never come back.
LOST_SHOWN_FOR = timedelta(days=1)


class WorkerState(StrEnum):
    IDLE = "idle"
    BUSY = "busy"
    PAUSED = "paused"
    STOPPING = "stopping"
    LOST = "lost"


@dataclass(frozen=True, kw_only=True)
class WorkerFigures:
    """`current_jobs` are those that the caller may see; `busy` says whether it runs any."""

    name: str
    state: WorkerState
    queues: Sequence[str]
    slots: int
    current_jobs: Sequence[UUID]
    version: str
    memory_bytes: int
    started_at: datetime
    seen_at: datetime


SILENT = Q(seen_at__lte=Now() - WORKER_SILENT_AFTER)
# Those that stopped as they were asked to are gone.
SHOWN = ~SILENT | Q(stopping=False, seen_at__gt=Now() - LOST_SHOWN_FOR)
_ENDING = frozenset({Wish.STOP, Wish.RESTART})


def workers_of(
    whose: Whose,
    *,
    after: str = "",
    most: int = 200,
    name: str | None = None,
    with_ours: bool = True,
) -> list[WorkerFigures]:
    """By name, from the one after `after`; or the one called `name`. `with_ours`: also those that
    run nothing but the platform's own jobs."""
    rows = Worker.objects.filter(SHOWN, name__gt=after).annotate(
        is_silent=Case(When(SILENT, then=True), default=False)
    )
    if name is not None:
        rows = rows.filter(pk=name)
    if not with_ours:
        ours = sorted(registry.internal_queues())
        rows = rows.exclude(queues__contained_by=ours, queues__len__gt=0)
    shown = list(rows.order_by("name")[:most])
    running = _running([row.incarnation for row in shown])
    return [_figures(row, row.is_silent, running[row.incarnation], whose) for row in shown]


def consumers() -> Counter[str]:
    """How many live workers take jobs of each queue."""
    taking = Worker.objects.filter(~SILENT, stopping=False, wish=Wish.RUN)
    alive = taking.values_list("queues", flat=True)
    return Counter(queue for queues in alive for queue in set(queues))


@dataclass(frozen=True, kw_only=True)
class _Running:
    job: UUID
    type: str
    tenant: int
    owner: str


def _running(incarnations: Sequence[UUID]) -> Mapping[UUID, list[_Running]]:
    rows = Job.objects.filter(status=Status.PROCESSING, incarnation__in=incarnations)
    found: defaultdict[UUID, list[_Running]] = defaultdict(list)
    for incarnation, job, job_type, tenant, owner in rows.order_by("seq").values_list(
        "incarnation", "pk", "type", "tenant_id", "owner"
    ):
        if incarnation is not None:
            running = _Running(job=job, type=job_type, tenant=tenant, owner=owner)
            found[incarnation].append(running)
    return found


def _figures(
    row: Worker, is_silent: bool, running: Sequence[_Running], whose: Whose
) -> WorkerFigures:
    return WorkerFigures(
        name=row.name,
        state=_state(row, is_silent, bool(running)),
        queues=tuple(row.queues),
        slots=row.slots,
        current_jobs=tuple(each.job for each in running if _may_see(whose, each)),
        version=row.version,
        memory_bytes=row.memory_bytes,
        started_at=row.started_at,
        seen_at=row.seen_at,
    )


def _state(row: Worker, is_silent: bool, runs: bool) -> WorkerState:
    if is_silent:
        return WorkerState.LOST
    if row.stopping or row.wish in _ENDING:
        return WorkerState.STOPPING
    if row.wish == Wish.PAUSE:
        return WorkerState.PAUSED
    return WorkerState.BUSY if runs else WorkerState.IDLE


def _may_see(whose: Whose, job: _Running) -> bool:
    if registry.is_internal(job.type):
        return whose.with_ours
    return whose.tenant in (None, job.tenant) and whose.owner in ("", job.owner)
