"""Sums over jobs that ended, and how they are read from the jobs themselves."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from jobs.states import Status
from jobs.stats.histogram import BUCKET_SQL, added, counted


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What became of some jobs. `run_seconds` adds up the completed ones' last attempts; `waits`
    is a histogram of how long first attempts were waited for."""

    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    completed_after_retry: int = 0
    failed_after_retry: int = 0
    run_seconds: float = 0.0
    waits: list[int] = field(default_factory=list)

    def __add__(self, other: Ended) -> Ended:
        return Ended(
            waits=added(self.waits, other.waits),
            **{name: getattr(self, name) + getattr(other, name) for name in NUMBERS},
        )

    @property
    def finished(self) -> int:
        """Jobs whose code had its say: what throughput counts."""
        return self.completed + self.failed

    @property
    def failure_rate(self) -> float | None:
        return _share(self.failed, self.finished)

    @property
    def retry_success_rate(self) -> float | None:
        """Of the jobs that were retried, how many completed in the end."""
        retried = self.completed_after_retry + self.failed_after_retry
        return _share(self.completed_after_retry, retried)

    @property
    def average_seconds(self) -> float | None:
        return self.run_seconds / self.completed if self.completed else None


NUMBERS = tuple(each.name for each in fields(Ended) if each.name != "waits")


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def of_group(
    status: str, retried: bool, bucket: int | None, number: int, run_seconds: float | None
) -> Ended:
    """So many jobs that ended alike."""
    after_retry = number if retried else 0
    waits = [] if bucket is None else counted(bucket, number)
    match Status(status):
        case Status.COMPLETED:
            return Ended(
                completed=number,
                completed_after_retry=after_retry,
                run_seconds=run_seconds or 0.0,
                waits=waits,
            )
        case Status.FAILED:
            return Ended(failed=number, failed_after_retry=after_retry, waits=waits)
        case _:
            return Ended(cancelled=number)


# The condition and the expression of the index `job_ended`.
HAS_ENDED = "(job.completed_at IS NOT NULL OR job.cancelled_at IS NOT NULL)"
ENDED_AT = "COALESCE(job.completed_at, job.cancelled_at)"
# Since when a job could have been started. Only the first attempt's wait is known: the moment at
# which a retry became ready is not kept.
_READY_AT = """GREATEST(job.created_at, job.run_at, (
    SELECT max(edge.settled_at) FROM jobs_dependency AS edge WHERE edge.job_id = job.id))"""
BUCKET = f"""CASE WHEN job.attempt = 1 AND job.status <> 'cancelled' THEN
    {BUCKET_SQL.format(seconds=f"extract(epoch FROM job.started_at - {_READY_AT})::float")} END"""
# What `of_group` takes, but for the count, of one job.
FACTS = f"""job.status, job.retry_count > 0 AS retried, {BUCKET} AS bucket,
    job.actual_duration_seconds AS run_seconds"""
COLUMNS = """job.id, job.tenant_id, job.queue, job.status, job.retry_count, job.attempt,
    job.created_at, job.run_at, job.started_at, job.actual_duration_seconds"""
GROUPED = "status, retried, bucket, count(*), sum(run_seconds)"
GROUPS = "status, retried, bucket"
