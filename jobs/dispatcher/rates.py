"""The starts that count against rate limits.

The row is the truth, in `RateUse`; the leader keeps a copy in memory, since it alone books. A use
is booked when a job is sent and counts as spent until its start is known from the job's row; a
message that was withdrawn gives it back. So no window ever holds more starts than its limit,
however late the workers claim.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import connection

from jobs.lifecycle import Dispatched
from jobs.models import RateUse
from jobs.policies.buckets import Bucket, Place, keys_in
from jobs.policies.rules import Snapshot

Use = tuple[Bucket, UUID, int]  # of one attempt of a job, by its fence

_KEPT = timedelta(days=1)  # as long as a rate may be
_EVERY_KEY: Bucket = "key:"  # stands for the buckets of all keys

# A start after the booking is taken for the one that was booked: a job that has gone on since and
# started again only stays booked a little longer. One whose row is gone counts from now, since
# nobody can tell any more when it started.
_NOW_KNOWN = """
    WITH known AS (
        SELECT use.id, use.bucket, use.job_id, use.fence,
               CASE WHEN job.id IS NULL THEN clock_timestamp()
                    WHEN job.started_at >= use.booked_at THEN job.started_at END AS started_at
          FROM jobs_rateuse AS use LEFT JOIN jobs_job AS job ON job.id = use.job_id
         WHERE use.started_at IS NULL
           AND (job.id IS NULL OR job.fence > use.fence OR job.status <> 'queued')
    ), counted AS (
        UPDATE jobs_rateuse AS use SET started_at = known.started_at FROM known
         WHERE use.id = known.id AND known.started_at IS NOT NULL
    ), returned AS (
        DELETE FROM jobs_rateuse AS use USING known
         WHERE use.id = known.id AND known.started_at IS NULL
    )
    SELECT bucket, job_id, fence, started_at FROM known
"""


class Rates:
    """What one leader knows of the starts. `forget` it when a transaction may have failed."""

    def __init__(self) -> None:
        self._open: set[Use] = set()
        self._waiting: Counter[Bucket] = Counter()  # of those, by bucket
        self._started: defaultdict[Bucket, list[datetime]] = defaultdict(list)  # in order
        self._now = datetime.min.replace(tzinfo=UTC)
        self._is_loaded = False
        self._lengths: dict[Bucket, int] = {}  # of the windows; what is older was pruned

    def forget(self) -> None:
        self._is_loaded = False

    def look(self, snapshot: Snapshot, now: datetime) -> None:
        """Bring it up to date, in the leader's transaction."""
        self._now = now
        lengths = _lengths(snapshot)
        if any(length > self._lengths.get(bucket, 0) for bucket, length in lengths.items()):
            self.forget()  # a longer window counts what was pruned
        self._lengths = lengths
        if not self._is_loaded:
            self._load(now)
        if self._open:
            self._settle()
        self._prune()

    def starts(self, bucket: Bucket, seconds: int) -> int:
        """How many count within the last so many seconds, with those that are sent."""
        started = self._started.get(bucket, [])
        since = self._now - timedelta(seconds=seconds)
        return len(started) - bisect_right(started, since) + self._waiting[bucket]

    @property
    def keys(self) -> frozenset[tuple[int, str]]:
        """Tenant and key of those that have starts."""
        return frozenset(keys_in({*self._started, *self._waiting}))

    def book(
        self, sent: Iterable[Dispatched], snapshot: Snapshot, places: Mapping[UUID, Place]
    ) -> None:
        """Note what is sent, in the transaction that marks it."""
        uses = [
            RateUse(bucket=bucket, job_id=job.id, fence=job.fence, booked_at=job.dispatched_at)
            for job in sent
            for bucket in {
                bucket for bucket, limit in snapshot.limits_of(places[job.id]) if limit.rate
            }
        ]
        if uses:
            RateUse.objects.bulk_create(uses)
            self._open.update((use.bucket, use.job_id, use.fence) for use in uses)
            self._count_open()

    def _load(self, now: datetime) -> None:
        self._open.clear()
        self._started.clear()
        for use in RateUse.objects.filter(started_at=None):
            self._open.add((use.bucket, use.job_id, use.fence))
        for use in RateUse.objects.filter(started_at__gt=now - _KEPT).order_by("started_at"):
            if use.started_at is not None:
                self._started[use.bucket].append(use.started_at)
        self._count_open()
        self._is_loaded = True

    def _settle(self) -> None:
        """Learn which of the booked jobs have started, and which will not."""
        with connection.cursor() as cursor:
            cursor.execute(_NOW_KNOWN)
            known = cursor.fetchall()
        for bucket, job_id, fence, started_at in known:
            self._open.discard((bucket, job_id, fence))
            if started_at is not None:
                insort(self._started[bucket], started_at)
        if known:
            self._count_open()

    def _count_open(self) -> None:
        self._waiting = Counter(bucket for bucket, _, _ in self._open)

    def _prune(self) -> None:
        """Forget what no rate counts any more."""
        for bucket, started in list(self._started.items()):
            seconds = self._lengths.get(bucket, self._lengths[_EVERY_KEY])
            del started[: bisect_right(started, self._now - timedelta(seconds=seconds))]
            if not started:
                del self._started[bucket]


def _lengths(snapshot: Snapshot) -> dict[Bucket, int]:
    """Seconds of the longest window in which starts of a bucket count."""
    of_keys = [limit.rate.seconds for limit in snapshot.key_limits.values() if limit.rate]
    rest = {bucket: limit.rate.seconds for bucket, limit in snapshot.limits.items() if limit.rate}
    return {_EVERY_KEY: max(of_keys, default=0), **rest}
