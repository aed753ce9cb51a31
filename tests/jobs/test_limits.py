"""What limits and holds let through: never more than any of them, and never less for nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.dispatcher.limits import NOTHING_USED, Ledger, Usage
from jobs.policies.buckets import (
    Bucket,
    Place,
    buckets_of,
    keys_in,
    of_key,
    of_queue,
    of_tenant,
    of_type,
)
from jobs.policies.rate import Rate
from jobs.policies.rules import Held, Hold, Limit, Snapshot

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
QUEUES, TYPES, TENANTS, KEYS = ("q1", "q2"), ("a.x", "a.y"), (1, 2), ("", "k", "k:2")

places = st.builds(
    Place,
    st.sampled_from(QUEUES),
    st.sampled_from(TYPES),
    st.sampled_from(TENANTS),
    st.sampled_from(KEYS),
)
PLACES = [Place(q, t, n, k) for q in QUEUES for t in TYPES for n in TENANTS for k in KEYS]
KEY_BUCKETS = [of_key(tenant, key) for tenant in TENANTS for key in KEYS if key]
PLAIN = [*map(of_queue, QUEUES), *map(of_type, TYPES), *map(of_tenant, TENANTS)]

limits = st.builds(
    Limit,
    concurrency=st.none() | st.integers(1, 6),
    rate=st.none() | st.builds(Rate, st.integers(1, 6), st.sampled_from([1, 60])),
)
moments = st.integers(-2, 2).map(lambda seconds: NOW + timedelta(seconds=seconds))
holds = st.lists(st.builds(Hold, why=st.sampled_from(Held), until=st.none() | moments), max_size=2)
snapshots = st.builds(
    Snapshot,
    limits=st.dictionaries(st.sampled_from(PLAIN), limits.filter(bool), max_size=4),
    key_limits=st.dictionaries(st.sampled_from(TYPES), limits.filter(bool)),
    holds=st.dictionaries(st.sampled_from([*PLAIN, *KEY_BUCKETS]), holds.map(tuple), max_size=2),
    tripped=st.frozensets(st.sampled_from(KEY_BUCKETS), max_size=2),
    circuit_types=st.frozensets(st.sampled_from(TYPES)),
)


class Past(NamedTuple):
    """Jobs that run or were sent, and the starts of a bucket in any window."""

    running: Sequence[Place]
    started: Mapping[Bucket, int]

    @property
    def usage(self) -> Usage:
        running = Counter(bucket for place in self.running for bucket in buckets_of(place))
        return Usage(
            running=running,
            starts=lambda bucket, seconds: self.started.get(bucket, 0),
            keys=frozenset(keys_in({*running, *self.started})),
        )


pasts = st.builds(
    Past,
    running=st.lists(places, max_size=8),
    started=st.dictionaries(st.sampled_from([*PLAIN, *KEY_BUCKETS]), st.integers(0, 6), max_size=4),
)


def is_allowed(place: Place, taken: list[Place], snapshot: Snapshot, past: Past) -> bool:
    """One more job of this place, by counting everything from the beginning."""
    if any(
        hold.until is None or hold.until > NOW
        for bucket in buckets_of(place)
        for hold in snapshot.holds.get(bucket, ())
    ):
        return False
    asked = [(bucket, snapshot.limits.get(bucket)) for bucket in buckets_of(place)]
    if place.key:
        key = of_key(place.tenant, place.key)
        asked.append((key, snapshot.key_limits.get(place.type)))
        is_tried = key in snapshot.tripped and place.type in snapshot.circuit_types
        asked.append((key, Limit(concurrency=1) if is_tried else None))
    for bucket, limit in asked:
        if limit is None:
            continue
        booked = sum(bucket in buckets_of(one) for one in taken)
        running = sum(bucket in buckets_of(one) for one in past.running)
        if limit.concurrency is not None and running + booked >= limit.concurrency:
            return False
        if limit.rate and past.started.get(bucket, 0) + booked >= limit.rate.starts:
            return False
    return True


@given(snapshots, pasts, st.lists(places, max_size=20))
def test_what_is_let_through_is_what_counting_everything_allows(
    snapshot: Snapshot, past: Past, offered: list[Place]
) -> None:
    ledger = Ledger(snapshot, past.usage, NOW)
    taken: list[Place] = []
    for place in offered:
        assert ledger.has_room(place) == is_allowed(place, taken, snapshot, past)
        if ledger.has_room(place):
            ledger.book(place)
            taken.append(place)


@given(snapshots, pasts)
def test_what_is_not_worth_reading_is_exactly_what_has_no_room(
    snapshot: Snapshot, past: Past
) -> None:
    """The reading leaves out whole queues, types, tenants and keys; the choosing asks for each
    job. Did they differ, jobs would starve or stand in the way of others."""
    ledger = Ledger(snapshot, past.usage, NOW)
    tenants, keys = set(ledger.barred_tenants()), set(ledger.barred_keys())
    held = set(ledger.held_keys())

    for place in PLACES:
        is_read = (
            ledger.room_of(of_queue(place.queue)) != 0
            and ledger.room_of(of_type(place.type)) != 0
            and place.tenant not in tenants
            and f"{place.type}:{place.tenant}:{place.key}" not in keys
            and f"{place.tenant}:{place.key}" not in held
        )
        assert is_read == ledger.has_room(place), place


@given(snapshots, pasts, st.lists(places, max_size=20))
def test_the_room_of_a_queue_is_how_many_of_its_jobs_may_be_taken_at_the_most(
    snapshot: Snapshot, past: Past, offered: list[Place]
) -> None:
    ledger = Ledger(snapshot, past.usage, NOW)
    most = {queue: ledger.room_of(of_queue(queue)) for queue in QUEUES}
    taken: Counter[str] = Counter()
    for place in offered:
        if ledger.has_room(place):
            ledger.book(place)
            taken[place.queue] += 1

    for queue, room in most.items():
        assert room is None or taken[queue] <= room


def test_a_key_is_a_tenants() -> None:
    snapshot = Snapshot(key_limits={"a.x": Limit(concurrency=1)})
    ledger = Ledger(snapshot, Usage(), NOW)
    mine, others = Place("q1", "a.x", 1, "k"), Place("q1", "a.x", 2, "k")

    ledger.book(mine)

    assert not ledger.has_room(mine)
    assert ledger.has_room(others)
    assert ledger.has_room(Place("q1", "a.x", 1, "other"))
    assert ledger.has_room(Place("q1", "a.x", 1, ""))


def test_jobs_of_another_type_with_the_same_key_take_room_from_it() -> None:
    snapshot = Snapshot(key_limits={"a.x": Limit(concurrency=1)})
    ledger = Ledger(snapshot, Usage(), NOW)

    ledger.book(Place("q1", "a.y", 1, "k"))  # of a type without a limit

    assert not ledger.has_room(Place("q1", "a.x", 1, "k"))
    assert ledger.has_room(Place("q1", "a.y", 1, "k"))


def test_of_a_key_whose_breaker_is_open_one_job_is_tried() -> None:
    bucket, place = of_key(1, "k"), Place("q1", "a.x", 1, "k")
    closed = Hold(why=Held.CIRCUIT, until=NOW + timedelta(seconds=1))
    snapshot = Snapshot(
        tripped=frozenset({bucket}), circuit_types=frozenset({"a.x"}), holds={bucket: (closed,)}
    )
    assert not Ledger(snapshot, Usage(), NOW).has_room(place)

    later = Ledger(snapshot, Usage(), NOW + timedelta(seconds=1))

    assert later.has_room(place)
    later.book(place)
    assert not later.has_room(place)
    assert later.has_room(Place("q1", "a.y", 1, "k"))  # its end would tell the breaker nothing


@pytest.mark.parametrize("snapshot", [Snapshot(), Snapshot(queue_weights={"q1": 3})])
def test_without_limits_and_holds_nothing_is_counted(snapshot: Snapshot) -> None:
    def never(bucket: Bucket, seconds: int) -> int:
        raise AssertionError

    ledger = Ledger(snapshot, Usage(starts=never), NOW)

    for place in PLACES:
        assert ledger.has_room(place)
        ledger.book(place)
    assert (ledger.barred_tenants(), ledger.barred_keys(), ledger.held_keys()) == ([], [], [])
    assert ledger.room_of(of_queue("q1")) is None
    assert Ledger(snapshot, NOTHING_USED, NOW).has_room(PLACES[0])
