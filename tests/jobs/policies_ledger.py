"""Pauses, limits, the window and the turns as a small model: what one tick may send, and must."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.jobs.ledger import Place, Record, floor

Bucket = tuple[str, str]


def key_of(tenant: str, key: str) -> Bucket:
    return ("key", f"{tenant}/{key}")


def buckets_of(place: Place) -> list[Bucket]:
    found = [("queue", place.queue), ("type", place.type), ("tenant", place.tenant)]
    return [*found, key_of(place.tenant, place.key)] if place.key else found


@dataclass(eq=False)
class Use:
    """A start that a rate counts from the moment at which the job is sent."""

    bucket: Bucket
    record: Record
    fence: int
    attempt: int
    is_open: bool = True  # neither started nor taken back, as far as was looked
    is_certain: bool = True  # False: the rate was gone for a while

    def looks_over(self) -> bool:
        return self.record.fence > self.fence or self.record.status != "queued"


@dataclass
class Rules:
    """`at_once` and `starts` limit a bucket, `of_keys` every key of a type's jobs."""

    of_keys: Mapping[str, int]
    slots: int
    held: set[Bucket] = field(default_factory=set)
    at_once: dict[Bucket, int] = field(default_factory=dict)
    starts: dict[Bucket, int] = field(default_factory=dict)
    uses: list[Use] = field(default_factory=list)

    # --- limits and pauses -----------------------------------------------------------------

    def is_held(self, place: Place) -> bool:
        return not self.held.isdisjoint(buckets_of(place))

    def limits_of(self, place: Place) -> Iterator[tuple[Bucket, int]]:
        """How many of a bucket's jobs may be on their way or run."""
        for bucket in buckets_of(place):
            if bucket in self.at_once:
                yield bucket, self.at_once[bucket]
            if bucket[0] == "key" and place.type in self.of_keys:
                yield bucket, self.of_keys[place.type]

    def may_start(self, record: Record, records: Iterable[Record]) -> bool:
        """Whether nothing but the window and its turn could hold it back."""
        waits = record.status == "queued" and not record.sent and not record.lease
        return waits and self.has_room(record.place, occupied(records))

    def has_room(self, place: Place, counts: Counter[Bucket]) -> bool:
        return self.is_free(place, counts) and all(
            self.used(bucket) < self.starts[bucket]
            for bucket in buckets_of(place)
            if bucket in self.starts
        )

    def is_free(self, place: Place, counts: Counter[Bucket]) -> bool:
        """Whatever the rates say."""
        return not self.is_held(place) and not self.is_full(place, counts)

    def exceeds(self, place: Place, counts: Counter[Bucket]) -> bool:
        return any(counts[bucket] > most for bucket, most in self.limits_of(place))

    def is_full(self, place: Place, counts: Counter[Bucket]) -> bool:
        return any(counts[bucket] >= most for bucket, most in self.limits_of(place))

    # --- rates -----------------------------------------------------------------------------

    def limit_starts(self, bucket: Bucket, most: int | None) -> None:
        if most is not None:
            self.starts[bucket] = most
            return
        self.starts.pop(bucket, None)
        for use in self.uses:
            use.is_certain &= use.bucket != bucket

    def used(self, bucket: Bucket, *, certain: bool = False) -> int:
        return sum(use.bucket == bucket and (use.is_certain or not certain) for use in self.uses)

    def look(self) -> None:
        """As at the beginning of a tick: what was sent has started by now, or been taken back."""
        if not self.starts:
            return
        over = [use for use in self.uses if use.is_open and use.looks_over()]
        gone = [use for use in over if use.record.attempt == use.attempt]
        for use in over:
            use.is_open = False
        self.uses = [use for use in self.uses if use not in gone]

    def forget_starts(self) -> None:
        """So much time has passed that those known count no more."""
        self.uses = [use for use in self.uses if use.is_open]

    def book(self, record: Record) -> None:
        """It was sent."""
        self.uses += [
            Use(bucket, record, record.fence, record.attempt)
            for bucket in buckets_of(record.place)
            if bucket in self.starts
        ]

    # --- the window ------------------------------------------------------------------------

    def room(self, level: int, records: Iterable[Record]) -> int:
        """What runs takes a slot; a message takes one from its own level and the lower ones."""
        return self.slots - sum(
            one.status == "processing" or (one.sent and floor(one.priority) >= level)
            for one in records
        )


def occupied(records: Iterable[Record]) -> Counter[Bucket]:
    """What counts against limits: jobs that run and those that were sent."""
    there = (one for one in records if one.sent or one.status == "processing")
    return Counter(bucket for one in there for bucket in buckets_of(one.place))


def in_order(records: Iterable[Record]) -> list[Record]:
    return sorted(records, key=lambda one: (-one.priority, one.seq))


class Tick:
    """What has to be true of what one tick sent. Made before it; `sent` is told after it."""

    def __init__(self, rules: Rules, records: Sequence[Record]) -> None:
        self._rules = rules
        self._records = records
        self._could = in_order(one for one in records if rules.may_start(one, records))

    def send(self, record: Record) -> None:
        """One more, after those before it: it waits, nothing holds it, every limit has room, and
        so has the window at its level."""
        assert record in self._could
        assert self._rules.may_start(record, self._records)
        assert self._rules.room(floor(record.priority), self._records) > 0
        record.send()
        self._rules.book(record)

    def left(self) -> list[Record]:
        """Who could still go, but for the window."""
        return [one for one in self._could if self._rules.may_start(one, self._records)]

    def check(self, sent: Collection[Record]) -> None:
        """Nobody who could go was left out for nothing, or for one of a lower level, or for one
        of the same tenant and queue that is behind."""
        for one in self.left():
            assert self._rules.room(floor(one.priority), self._records) <= 0
            assert not any(floor(other.priority) < floor(one.priority) for other in sent)
            assert not any(is_behind(other, one) for other in sent)


def is_neighbour(one: Record, other: Record) -> bool:
    return (one.place.queue, one.place.tenant) == (other.place.queue, other.place.tenant)


def is_behind(one: Record, other: Record) -> bool:
    return is_neighbour(one, other) and in_order([one, other]) == [other, one]


class Turns:
    """Two tenants of the same weight that both have enough waiting jobs start equally often."""

    MOST_AHEAD = 2  # one has just had its turn when it begins, the other when it ends

    def __init__(self, one: str, other: str) -> None:
        self._signs = {one: 1, other: -1}
        self._ahead: Counter[tuple[str, int]] = Counter()

    def check(self, sent: Collection[Record], left: Collection[Record]) -> None:
        waiting = {(*_way(one), one.place.tenant) for one in left}
        for way in {_way(one) for one in sent} | set(self._ahead):
            if not all((*way, tenant) in waiting for tenant in self._signs):
                del self._ahead[way]
                continue
            self._ahead[way] += sum(
                self._signs[one.place.tenant] for one in sent if _way(one) == way
            )
            assert abs(self._ahead[way]) <= self.MOST_AHEAD


def _way(record: Record) -> tuple[str, int]:
    return (record.place.queue, floor(record.priority))
