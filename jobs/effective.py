"""The priority that a job has at this moment: what was asked, boosts, and ageing.

Only jobs that are ready age, so only they cost a look: at the pauses that ended lately, since a
paused job does not age, and only where some job has been ready for long enough. A job that was
sent keeps the priority it was sent with until it ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from jobs.ageing import Ageing
from jobs.models import Job
from jobs.policies import snapshot
from jobs.policies.buckets import Place
from jobs.policies.rules import Snapshot
from jobs.priorities import Level, level_of
from jobs.states import Status

_SENT = frozenset({Status.QUEUED, Status.PROCESSING})


def configured() -> Ageing:
    """The ageing that the settings ask for."""
    return Ageing(
        after_seconds=settings.AGEING_AFTER_SECONDS,
        every_seconds=settings.AGEING_EVERY_SECONDS,
        step=settings.AGEING_STEP,
        highest=settings.AGEING_HIGHEST,
    )


def priorities(jobs: Iterable[Job], now: datetime | None = None) -> Mapping[UUID, int]:
    """Of each job by its id. One query for all of them, and only if one could have aged."""
    now, ageing = now or timezone.now(), configured()
    stored = {job.pk: job for job in jobs}
    found = {job_id: _unaged(job) for job_id, job in stored.items()}
    old = [job for job in stored.values() if _may_have_aged(job, ageing, now)]
    if old:
        resumed = Snapshot(resumed=snapshot.resumed())
        found |= {job.pk: _aged(job, ageing, resumed, now) for job in old}
    return found


def priority_of(job: Job, now: datetime | None = None) -> int:
    """Of one job; of several, `priorities` asks once."""
    return priorities([job], now)[job.pk]


def level_now(job: Job, now: datetime | None = None) -> Level:
    """The level of that priority."""
    return level_of(priority_of(job, now))


def place_of(job: Job) -> Place:
    """What of the job decides which limits and pauses hold for it."""
    return Place(queue=job.queue_id, type=job.type, tenant=job.tenant_id, key=job.limit_key)


def _unaged(job: Job) -> int:
    """A boost of a job that was sent counts at once."""
    was_sent = job.dispatched_at is not None or job.status == Status.PROCESSING
    if was_sent and job.status in _SENT and job.sent_priority is not None:
        return max(job.priority, job.sent_priority)
    return job.priority


def _may_have_aged(job: Job, ageing: Ageing, now: datetime) -> bool:
    is_ready = job.status == Status.QUEUED and job.dispatched_at is None
    return is_ready and bool(ageing.step) and job.queued_at <= ageing.begins_for(now)


def _aged(job: Job, ageing: Ageing, resumed: Snapshot, now: datetime) -> int:
    since = resumed.ready_since(place_of(job), job.queued_at)
    return ageing.effective(job.priority, (now - since).total_seconds())
