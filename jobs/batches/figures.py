"""What a batch says about itself: status, progress, and how many of its jobs are where."""

from __future__ import annotations

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, TextChoices
from django.db.models.functions import Coalesce

from jobs.models import Batch, Job
from jobs.states import ACTIVE, FINAL, Status


class BatchStatus(TextChoices):
    RUNNING = "running"
    COMPLETED = "completed"  # every job of it
    FAILED = "failed"  # all have ended, and one at least failed
    CANCELLED = "cancelled"  # all have ended, none failed, one at least was cancelled


def status_of(batch: Batch) -> BatchStatus:
    if batch.finished_at is None:
        return BatchStatus.RUNNING
    if batch.failed:
        return BatchStatus.FAILED
    return BatchStatus.CANCELLED if batch.cancelled else BatchStatus.COMPLETED


_FINISHED = Q(finished_at__isnull=False)
CONDITIONS = {
    BatchStatus.RUNNING: ~_FINISHED,
    BatchStatus.COMPLETED: _FINISHED & Q(failed=0, cancelled=0),
    BatchStatus.FAILED: _FINISHED & Q(failed__gt=0),
    BatchStatus.CANCELLED: _FINISHED & Q(failed=0, cancelled__gt=0),
}


def progress_of(batch: Batch) -> int:
    """The share of jobs that have ended, in per cent; 100 only when all have."""
    return 100 * ended_of(batch) // batch.total if batch.total else 100


def ended_of(batch: Batch) -> int:
    return batch.completed + batch.failed + batch.cancelled


# Of the jobs that go on, the queued ones are most by far in a large batch. They are the rest.
_COUNTED = sorted(ACTIVE - {Status.QUEUED})


def with_counts(rows: QuerySet[Batch]) -> QuerySet[Batch]:
    """What `counts_of` needs, read in one statement with the counters, so that it adds up."""
    return rows.annotate(**{f"now_{status.value}": _number_of(status) for status in _COUNTED})


def _number_of(status: Status) -> Coalesce:
    jobs = Job.objects.filter(batch=OuterRef("pk"), status=status).order_by()
    counted = jobs.values("batch").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), 0)


def counts_of(batch: Batch) -> dict[str, int]:
    """By status; `batch` comes from `with_counts`."""
    found = {status: getattr(batch, status.value) for status in FINAL}
    found |= {status: getattr(batch, f"now_{status.value}") for status in _COUNTED}
    found[Status.QUEUED] = batch.total - sum(found.values())
    return {status.value: found[status] for status in Status}


def newest_first(rows: QuerySet[Batch]) -> QuerySet[Batch]:
    """Ids sort by time."""
    return rows.order_by(F("pk").desc())
