"""A tenant's stream in Redis, read: its end, and what lies between two marks."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import redis.asyncio
from django.conf import settings

from jobs.live.entries import BEGIN, FIELD, Entry, unpacked
from jobs.live.marks import Mark, of_entry
from jobs.live.telling import KEPT_SECONDS, stream_of

logger = logging.getLogger(__name__)

Placed = tuple[Mark, Entry]
_PAGE = 500
_PATIENCE_SECONDS = 5
_OPTIONS: Any = {"socket_timeout": 3, "socket_connect_timeout": 1, "health_check_interval": 10}


class Log:
    """Raises RedisError or OSError while Redis is away."""

    def __init__(self) -> None:
        # Many streams open at once wait for each other's connection; the reader has its own.
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            settings.REDIS_URL, max_connections=16, timeout=_PATIENCE_SECONDS, **_OPTIONS
        )
        self._client: Any = redis.asyncio.Redis(connection_pool=pool)
        self._reader: Any = redis.asyncio.Redis.from_url(settings.REDIS_URL, **_OPTIONS)

    async def close(self) -> None:
        await self._client.aclose()
        await self._client.connection_pool.aclose()
        await self._reader.aclose()

    async def end(self, tenant_id: int, *, for_reader: bool = False) -> Mark:
        """Where a stream is empty, it begins here: so there is a mark to go on from."""
        key, client = stream_of(tenant_id), self._reader if for_reader else self._client
        last = await client.xrevrange(key, count=1)
        if last:
            return of_entry(last[0][0])
        begun = await client.xadd(key, {FIELD: Entry(event=BEGIN, at=_now()).packed()})
        await client.expire(key, KEPT_SECONDS)
        return of_entry(begun)

    async def reaches(self, tenant_id: int, mark: Mark) -> bool:
        """Whether everything after this mark is still there."""
        first = await self._client.xrange(stream_of(tenant_id), count=1)
        return bool(first) and of_entry(first[0][0]).entry_of <= mark.entry_of

    async def between(self, tenant_id: int, after: Mark, end: Mark) -> AsyncIterator[Placed]:
        """The entries from `after`'s own one, which may be known in part, to `end`."""
        start = after.entry
        while True:
            page = await self._client.xrange(
                stream_of(tenant_id), min=start, max=end.entry, count=_PAGE
            )
            for placed in _placed(page):
                yield placed
            if len(page) < _PAGE:
                return
            start = f"({page[-1][0].decode()}"

    async def news(
        self, ends: dict[int, Mark], milliseconds: int
    ) -> Sequence[tuple[int, Mark, Sequence[Placed]]]:
        """What came after these ends: of each tenant the new end, and its entries. Waits so long
        for the first."""
        streams = {stream_of(tenant): mark.entry for tenant, mark in ends.items()}
        tenants = {stream_of(tenant).encode(): tenant for tenant in ends}
        answer = await self._reader.xread(streams, count=_PAGE, block=milliseconds)
        return [
            (tenants[key], of_entry(entries[-1][0]), _placed(entries))
            for key, entries in answer or ()
            if entries
        ]


def _now() -> datetime:
    return datetime.now(UTC)


def _placed(entries: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> list[Placed]:
    found = []
    for entry_id, fields in entries:
        try:
            found.append((of_entry(entry_id), unpacked(fields[FIELD.encode()])))
        except (ValueError, KeyError, TypeError):
            logger.warning("ignored an entry of a live stream that is not one of ours")
    return found
