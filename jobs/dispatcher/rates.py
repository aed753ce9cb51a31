"""The starts that count against rate limits.

The row is the truth, in `RateUse`; the leader keeps a copy in memory, since it alone books. A use
is booked when a job is sent and counts as spent until its start is known from the job's row; a
message that was withdrawn gives it back. So no window ever holds more starts than its limit,
however late the workers claim.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import connection

from jobs.lifecycle import Dispatched
from jobs.models import RateUse
from jobs.policies.buckets import Bucket, Place, keys_in
from jobs.policies.rate import Rate
from jobs.policies.rules import Snapshot

Use = tuple[Bucket, UUID, int]  # of one attempt of a job, by its fence

_LOOK_AT_FULL = timedelta(seconds=1)  # so seldom is looked whether those are still full
_PRUNED = 10  # buckets in one tick
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


# The newest starts of each of these buckets, as many as can count.
_COUNTING = """
    SELECT wanted.bucket, use.started_at
      FROM unnest(%(buckets)s::text[], %(seconds)s::int[], %(starts)s::int[])
           AS wanted(bucket, seconds, starts),
           LATERAL (
           SELECT use.started_at FROM jobs_rateuse AS use
            WHERE use.bucket = wanted.bucket
              AND use.started_at > %(now)s - wanted.seconds * interval '1 second'
            ORDER BY use.started_at DESC LIMIT wanted.starts) AS use
     ORDER BY use.started_at
"""


class Rates:
    """What one leader knows of the starts. `forget` it when a transaction may have failed.

    There may be a hundred thousand keys: the starts of one are read when it is first asked for.
    """

    def __init__(self) -> None:
        self._open: set[Use] = set()
        self._waiting: Counter[Bucket] = Counter()  # of those, by bucket
        self._started: OrderedDict[Bucket, list[datetime]] = OrderedDict()  # in order, as read
        self._full: set[Bucket] = set()  # keys that had as many starts as the smallest rate
        self._full_at = datetime.min.replace(tzinfo=UTC)
        self._snapshot = Snapshot()
        self._now = datetime.min.replace(tzinfo=UTC)
        self._is_loaded = False
        self._counting: dict[Bucket, Rate] = {}  # the most that counts; the rest was not kept
        self._least = 0  # starts of the smallest rate of keys

    def forget(self) -> None:
        self._is_loaded = False

    def look(self, snapshot: Snapshot, now: datetime) -> None:
        """Bring it up to date, in the leader's transaction."""
        self._now = now
        self._follow(snapshot)
        if not self._is_loaded:
            self._load()
        if self._open:
            self._settle()
        self._prune_some()

    def starts(self, bucket: Bucket, seconds: int) -> int:
        """How many count within the last so many seconds, with those that are sent; those beyond
        the greatest rate are left out. In the leader's transaction."""
        if bucket not in self._started:
            self._read([bucket])
        started = self._started[bucket]
        since = self._now - timedelta(seconds=seconds)
        return len(started) - bisect_right(started, since) + self._waiting[bucket]

    @property
    def keys(self) -> frozenset[tuple[int, str]]:
        """Tenant and key of those of which a rate may be used up."""
        return self.full_keys(self._snapshot)

    def full_keys(self, snapshot: Snapshot) -> frozenset[tuple[int, str]]:
        """Tenant and key of those with as many starts as the smallest rate of keys, whatever its
        time: one too many for up to a second, and one whose starts nobody asked for not yet."""
        self._follow(snapshot)
        if not self._least:
            return frozenset()
        if self._now >= self._full_at + _LOOK_AT_FULL:
            self._full_at = self._now
            self._full = {bucket for bucket in self._full if self._is_full(bucket)}
        return frozenset(keys_in(self._full))

    def _follow(self, snapshot: Snapshot) -> None:
        if snapshot is self._snapshot:
            return
        counting = _counting(snapshot)
        known = self._counting
        if any(_counts_more(rate, known.get(bucket)) for bucket, rate in counting.items()):
            self.forget()  # it counts what was not kept
        rates = [limit.rate.starts for limit in snapshot.key_limits.values() if limit.rate]
        self._snapshot, self._counting, self._least = snapshot, counting, min(rates, default=0)

    def _is_full(self, bucket: Bucket) -> bool:
        self._prune(bucket)
        return len(self._started.get(bucket, ())) + self._waiting[bucket] >= self._least

    def _note_full(self, changed: Iterable[Bucket]) -> None:
        if self._least:
            keys = {bucket for bucket in changed if bucket.startswith(_EVERY_KEY)}
            self._full.update(bucket for bucket in keys if self._is_full(bucket))

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

    def _load(self) -> None:
        self._started.clear()
        self._full.clear()
        still_open = RateUse.objects.filter(started_at=None)
        self._open = set(still_open.values_list("bucket", "job_id", "fence"))
        self._count_open()
        self._read([bucket for bucket in self._counting if bucket != _EVERY_KEY])
        self._is_loaded = True

    def _read(self, buckets: Sequence[Bucket]) -> None:
        self._started.update((bucket, []) for bucket in buckets)
        rates = {bucket: rate for bucket in buckets if (rate := self._rate_of(bucket))}
        if not rates:
            return
        with connection.cursor() as cursor:
            cursor.execute(_COUNTING, {
                "buckets": list(rates),
                "seconds": [rate.seconds for rate in rates.values()],
                "starts": [rate.starts for rate in rates.values()],
                "now": self._now,
            })  # fmt: skip
            for bucket, started_at in cursor.fetchall():
                self._started[bucket].append(started_at)
        self._note_full(rates)

    def _rate_of(self, bucket: Bucket) -> Rate | None:
        name = _EVERY_KEY if bucket.startswith(_EVERY_KEY) else bucket
        return self._counting.get(name)

    def _settle(self) -> None:
        """Learn which of the booked jobs have started, and which will not."""
        with connection.cursor() as cursor:
            cursor.execute(_NOW_KNOWN)
            known = cursor.fetchall()
        for bucket, job_id, fence, started_at in known:
            self._open.discard((bucket, job_id, fence))
            if started_at is not None and bucket in self._started:
                insort(self._started[bucket], started_at)
        if known:
            self._count_open()

    def _count_open(self) -> None:
        self._waiting = Counter(bucket for bucket, _, _ in self._open)
        self._note_full(self._waiting)

    def _prune_some(self) -> None:
        """A few each time, in turn: what no rate counts any more. A key without starts is forgotten
        until it is asked for."""
        for _ in range(min(_PRUNED, len(self._started))):
            bucket = next(iter(self._started))
            self._prune(bucket)
            if self._started[bucket] or not bucket.startswith(_EVERY_KEY):
                self._started.move_to_end(bucket)
            else:
                del self._started[bucket]

    def _prune(self, bucket: Bucket) -> None:
        started, rate = self._started.get(bucket), self._rate_of(bucket)
        if started:
            since = self._now - timedelta(seconds=rate.seconds if rate else 0)
            del started[: bisect_right(started, since)]


def _counting(snapshot: Snapshot) -> dict[Bucket, Rate]:
    """The longest window and the most starts of the rates of each bucket; of all keys together."""
    of_keys = [limit.rate for limit in snapshot.key_limits.values() if limit.rate]
    found = {bucket: limit.rate for bucket, limit in snapshot.limits.items() if limit.rate}
    if of_keys:
        starts = max(rate.starts for rate in of_keys)
        found[_EVERY_KEY] = Rate(starts, max(rate.seconds for rate in of_keys))
    return found


def _counts_more(rate: Rate, known: Rate | None) -> bool:
    return known is None or rate.seconds > known.seconds or rate.starts > known.starts
