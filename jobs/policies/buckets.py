"""The names under which running jobs and starts are counted against limits. Pure.

A key is a tenant's: two tenants with the same key do not hold each other up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Place(NamedTuple):
    """What of a job decides which limits and pauses hold for it."""

    queue: str
    type: str
    tenant: int
    key: str  # empty: none


Bucket = str


def of_queue(name: str) -> Bucket:
    return f"queue:{name}"


def of_type(name: str) -> Bucket:
    return f"type:{name}"


def of_tenant(tenant: int) -> Bucket:
    return f"tenant:{tenant}"


def of_key(tenant: int, key: str) -> Bucket:
    return f"key:{tenant}:{key}"


def buckets_of(place: Place) -> Iterator[Bucket]:
    yield of_queue(place.queue)
    yield of_type(place.type)
    yield of_tenant(place.tenant)
    if place.key:
        yield of_key(place.tenant, place.key)


def keys_in(found: Iterable[Bucket]) -> Iterator[tuple[int, str]]:
    """Tenant and key of those buckets that are a key's."""
    for bucket in found:
        kind, _, rest = bucket.partition(":")
        if kind == "key":
            tenant, _, key = rest.partition(":")
            yield int(tenant), key
