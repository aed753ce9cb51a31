"""Rows for the hub, loaded in threads of their own by who waits for them: the reader that serves
everybody, the care for open streams, and single watchers, of one tenant a few at a time."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum, auto
from typing import TypeVar
from uuid import UUID

from jobs.live import rows
from jobs.live.entries import BATCH_COMPLETED
from jobs.live.events import Event
from jobs.live.log import Placed
from jobs.live.marks import WHOLE
from jobs.live.rows import Row

T = TypeVar("T")

_PAGE = 500
_OF_ONE_TENANT = 2  # watchers served at once


class Duty(Enum):
    """Who waits; the value is how many threads, each with a database connection."""

    READER = (auto(), 1)
    CARE = (auto(), 1)
    WATCHER = (auto(), 4)

    @property
    def threads(self) -> int:
        return self.value[1]


class Loader:
    def __init__(self) -> None:
        self._threads = {
            duty: ThreadPoolExecutor(duty.threads, f"live-{duty.name.lower()}") for duty in Duty
        }
        self._turns: dict[int, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(_OF_ONE_TENANT)
        )

    def close(self) -> None:
        """Its threads end."""
        for threads in self._threads.values():
            threads.shutdown()

    async def run(self, duty: Duty, step: Callable[..., T], *arguments: object) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads[duty], step, *arguments)

    async def for_watcher(self, tenant: int, step: Callable[..., T], *arguments: object) -> T:
        """Watchers of one tenant wait for each other, not those of another for them."""
        async with self._turns[tenant]:
            return await self.run(Duty.WATCHER, step, *arguments)

    async def rows(self, duty: Duty, tenant: int, ids: Iterable[UUID]) -> dict[UUID, Row]:
        """A page at a time: a batch of thousands that was handed in is one entry or two."""
        named, found = sorted(ids), dict[UUID, Row]()
        for start in range(0, len(named), _PAGE):
            found |= await self.run(duty, rows.load, tenant, named[start : start + _PAGE])
        return found

    async def events(
        self, duty: Duty, tenant: int, entries: Sequence[Placed], ids: Iterable[UUID]
    ) -> list[Event]:
        """What the entries say of these jobs, and of batches, in order."""
        found, events = await self.rows(duty, tenant, ids), list[Event]()
        for mark, entry in entries:
            if entry.event == BATCH_COMPLETED and entry.batch is not None:
                row = await self.run(duty, rows.load_batch, tenant, entry.batch)
                if row is not None:
                    events.append(Event(entry.event, mark, entry.at, row))
            for index, job in enumerate(entry.jobs):
                if job in found:
                    place = mark._replace(job=_index(index, len(entry.jobs)))
                    events.append(Event(entry.event, place, entry.at, found[job]))
        return events


def ids_in(entries: Iterable[Placed]) -> set[UUID]:
    return {job for _, entry in entries for job in entry.jobs}


def _index(index: int, number: int) -> int:
    """The last job of an entry ends it."""
    return WHOLE if index == number - 1 else index
