"""Which waiting jobs the limits and holds let through at one moment. Pure.

A limit on concurrency counts what runs and what was sent; a rate counts the starts of its window
and what was sent and has not started. So nothing that was sent can exceed either, whenever its
worker comes to claim it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from jobs.policies import buckets
from jobs.policies.buckets import Bucket, Place, buckets_of, keys_in, of_key, of_type
from jobs.policies.rules import Limit, Snapshot


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What counts against the limits: by bucket, jobs that run or were sent; and the starts of a
    bucket within so many seconds."""

    running: Mapping[Bucket, int] = field(default_factory=dict)
    starts: Callable[[Bucket, int], int] = lambda bucket, seconds: 0
    keys: frozenset[tuple[int, str]] = frozenset()  # tenant and key of those that are in use


NOTHING_USED = Usage()


class Ledger:
    """Books one job after another, as far as the limits have room."""

    def __init__(self, snapshot: Snapshot, usage: Usage, now: datetime) -> None:
        self._snapshot = snapshot
        self._usage = usage
        self._now = now
        self._booked: Counter[Bucket] = Counter()
        self._is_free = not (snapshot.has_limits or snapshot.holds)
        self._rooms: dict[Place, dict[Bucket, int] | None] = {}  # None: held

    def has_room(self, place: Place) -> bool:
        if self._is_free:
            return True
        if place not in self._rooms:
            self._rooms[place] = self._rooms_of(place)
        rooms = self._rooms[place]
        return rooms is not None and all(
            room > self._booked[bucket] for bucket, room in rooms.items()
        )

    def book(self, place: Place) -> None:
        """One job that goes; also one that the limits of others of its key count."""
        if not self._is_free:
            self._booked.update(buckets_of(place))  # as what runs is counted

    def _rooms_of(self, place: Place) -> dict[Bucket, int] | None:
        """What each of its limits had left when this ledger began."""
        if any(self._snapshot.is_held(bucket, self._now) for bucket in buckets_of(place)):
            return None
        rooms: dict[Bucket, int] = {}
        for bucket, limit in self._snapshot.limits_of(place):
            room = self._room(bucket, limit)
            rooms[bucket] = min(room, rooms.get(bucket, room))
        return rooms

    def room_of(self, bucket: Bucket) -> int | None:
        """Of a queue, a type or a tenant: how many more may start now; None: no limit."""
        if self._is_free:
            return None
        if self._snapshot.is_held(bucket, self._now):
            return 0
        limit = self._snapshot.limits.get(bucket)
        return None if limit is None else max(0, self._room(bucket, limit))

    def _room(self, bucket: Bucket, limit: Limit) -> int:
        rooms = []
        if limit.concurrency is not None:
            rooms.append(limit.concurrency - self._usage.running.get(bucket, 0))
        if limit.rate is not None:
            rooms.append(limit.rate.starts - self._usage.starts(bucket, limit.rate.seconds))
        return min(rooms)

    def barred_tenants(self) -> list[int]:
        """Whose jobs cannot start now, whatever they are."""
        if self._is_free:
            return []
        found = {*self._snapshot.limits, *self._snapshot.holds}
        return [
            int(bucket.partition(":")[2])
            for bucket in found
            if bucket.startswith("tenant:") and self.room_of(bucket) == 0
        ]

    def held_keys(self) -> list[str]:
        """`TENANT:KEY` of the keys that are held, whatever the type."""
        return [
            f"{tenant}:{key}"
            for tenant, key in keys_in(self._snapshot.holds)
            if self._snapshot.is_held(buckets.of_key(tenant, key), self._now)
        ]

    def barred_keys(self) -> list[str]:
        """`TYPE:TENANT:KEY` of the keys in use of which no more jobs of that type can start."""
        if self._is_free:
            return []
        types = {*self._snapshot.key_limits, *self._snapshot.circuit_types}
        return [
            f"{job_type}:{tenant}:{key}"
            for tenant, key in self._usage.keys
            for job_type in types
            if self._is_key_full(job_type, buckets.of_key(tenant, key))
        ]

    def _is_key_full(self, job_type: str, bucket: Bucket) -> bool:
        limits = self._snapshot.key_limits_of(job_type, bucket)
        return any(self._room(bucket, limit) <= 0 for limit in limits)

    def refusing(self, place: Place) -> list[Bucket]:
        """The limits of its type and key that are why such a job may not start. (A full queue or
        tenant hides no jobs of others.)"""
        rooms = self._rooms.get(place) or {}
        hiding = {of_type(place.type), of_key(place.tenant, place.key)} & rooms.keys()
        return [bucket for bucket in hiding if rooms[bucket] <= self._booked[bucket]]
