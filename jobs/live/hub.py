"""The one reader of a web process: it takes entries in, and hands events to whoever listens.

One task follows the streams of all tenants that somebody watches, over one connection. The rows
that entries name are loaded once for all watchers. A second task looks after what no entry tells:
places in the queue, entries that were lost, tokens that were revoked.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import DatabaseError, InterfaceError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from jobs.live import rows
from jobs.live.entries import LOST, SNAPSHOT
from jobs.live.events import Event
from jobs.live.grant import Grant
from jobs.live.listener import MOST_WAITING, Listener, Why
from jobs.live.loader import Duty, Loader, ids_in
from jobs.live.log import Log, Placed
from jobs.live.marks import BEGINNING, Mark, parsed

logger = logging.getLogger(__name__)

WAIT_MILLISECONDS = 250  # at most so long a tenant's first watcher waits to be followed
MOST_MISSED = 5_000  # jobs; who missed more is shown how things stand
_AGAIN_SECONDS = 0.5  # longer than a reading takes while Redis answers
_MOST_TRIES = 20  # to hand a tenant's entries over
REDIS_AWAY = (RedisError, OSError)
TOO_LATE = (RedisTimeoutError,)  # no answer: once may be this machine's fault, twice is away
DATABASE_AWAY = (DatabaseError, InterfaceError)


class Told(NamedTuple):
    status: str
    progress: float | None
    ended: bool
    place: int | None = None


class Hub:
    def __init__(self) -> None:
        self.log = Log()
        self.listeners: dict[int, set[Listener]] = defaultdict(set)
        self.is_away = False  # Redis
        self._heard_at = 0.0  # of Redis, by the reader
        self._ends: dict[int, Mark] = {}
        self.loader = Loader()
        self._failed: Counter[int] = Counter()  # tenants whose entries could not be handed over
        self._tasks: set[asyncio.Task[None]] = set()
        self._some = asyncio.Event()
        self.told: dict[UUID, Told] = {}  # of jobs that somebody watches by name

    @property
    def count(self) -> int:
        return sum(map(len, self.listeners.values()))

    def start(self, *tasks: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run the reader, and these beside it, for as long as the loop runs."""
        for step in (self._follow, *tasks):
            task = asyncio.ensure_future(step())
            self._tasks.add(task)

    async def stop(self) -> None:
        """All of that has ended, and the connections are shut."""
        running = set(self._tasks)
        while running:  # a client of Redis that is just connecting swallows a cancellation
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=_AGAIN_SECONDS)
        await self.log.close()
        self.loader.close()

    # --- who listens -------------------------------------------------------------------------

    def add(self, grant: Grant) -> Listener:
        listener = Listener(grant)
        self.listeners[grant.tenant_id].add(listener)
        self._some.set()
        return listener

    def end(self) -> None:
        """All streams end; the process stops."""
        for listener in self.everybody():
            listener.close(Why.STOPPING)

    def remove(self, listener: Listener) -> None:
        mine = self.listeners[listener.grant.tenant_id]
        mine.discard(listener)
        if not mine:
            del self.listeners[listener.grant.tenant_id]
            self._ends.pop(listener.grant.tenant_id, None)

    def end_of(self, tenant_id: int) -> Mark | None:
        """Up to where the tenant's stream was handed over."""
        return self._ends.get(tenant_id)

    def everybody(self) -> list[Listener]:
        return [listener for group in self.listeners.values() for listener in group]

    def offer(self, event: Event, listeners: Iterable[Listener]) -> None:
        self.note(event)
        for listener in listeners:
            listener.offer(event)

    def note(self, event: Event) -> None:
        """Remember what the watchers of a job were told of it."""
        row = event.row
        if row is not None:
            before, place = self.told.get(row.id), row.shown.get("position")
            place = before.place if before and place is None else place
            progress, ended = row.shown.get("progress"), event.ends is not None
            self.told[row.id] = Told(row.status, progress, ended, place)

    # --- what a watcher is told first ----------------------------------------------------------

    async def opening(self, grant: Grant, *, gap: bool = False) -> tuple[list[Event], Mark]:
        """What it has missed since `after`, or how things stand; and the mark up to which that
        is everything. Snapshots that stand for what is not known any more say `gap`."""
        missed, end = await self._from_redis(grant)
        if missed or (missed is not None and not await self._has_ended(grant)):
            return missed, end
        now = datetime.now(UTC)
        found = await self.loader.for_watcher(grant.tenant_id, rows.newest, grant)
        gap = gap or grant.after is not None
        events = [Event(SNAPSHOT, end, now, row, gap=gap) for row in found]
        for event in events:
            self.note(event)
        return events, end

    async def _from_redis(self, grant: Grant) -> tuple[list[Event] | None, Mark]:
        """What it has missed, if anybody knows, and up to where. One that Redis did not answer in
        time asks again for as long as the reader hears of Redis: many may ask at once."""
        while True:
            began = time.monotonic()
            try:
                end = await self._end_if_followed(grant.tenant_id)
                return await self._missed(grant, end) if grant.after else None, end
            except REDIS_AWAY:
                await asyncio.sleep(_AGAIN_SECONDS)
                if self._heard_at < began:
                    self.is_away = True
                    return None, BEGINNING

    async def _end_if_followed(self, tenant: int) -> Mark:
        """The end of its stream, looked up after the reader had a place in it: else an entry could
        come between the two, behind the one and before the other."""
        if tenant not in self._ends:
            self._begin(tenant, await self.log.end(tenant))
        return await self.log.end(tenant)

    def _begin(self, tenant: int, end: Mark) -> None:
        """Follow it from there, if it still has listeners."""
        if tenant in self.listeners:
            self._ends.setdefault(tenant, end)

    async def _has_ended(self, grant: Grant) -> bool:
        """Whether it watches one job, which is over: then nothing follows."""
        if grant.the_one is None:
            return False
        found = await self.loader.rows(Duty.WATCHER, grant.tenant_id, {grant.the_one})
        return all(row.is_final for row in found.values())

    async def _missed(self, grant: Grant, end: Mark) -> list[Event] | None:
        """None where nobody knows, or where it is too much."""
        tenant, after = grant.tenant_id, parsed(grant.after or "")
        if after is None or after.entry_of > end.entry_of:
            return None
        if not await self.log.reaches(tenant, after):
            return None
        entries = [placed async for placed in self.log.between(tenant, after, end)]
        ids = ids_in(entries) & grant.wanted.jobs if grant.wanted.by_name else ids_in(entries)
        if len(ids) > MOST_MISSED or any(entry.event == LOST for _, entry in entries):
            return None
        reader = Listener(grant)
        reader.floor = after
        events = await self.loader.events(Duty.WATCHER, tenant, entries, ids)
        return [event for event in events if reader.takes(event) and reader.is_news(event)]

    # --- following -----------------------------------------------------------------------------

    async def _follow(self) -> None:
        is_late = False
        while True:
            if not self.listeners:
                self._some.clear()
                await self._some.wait()
            try:
                failed = await self._read()
                is_late = False
                await asyncio.sleep(_AGAIN_SECONDS if failed else 0)
            except TOO_LATE:
                self.is_away, is_late = self.is_away or is_late, True
            except REDIS_AWAY:
                self.is_away = True
                await asyncio.sleep(_AGAIN_SECONDS)
            except Exception:
                logger.exception("live updates failed; they go on")
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _read(self) -> int:
        """For how many tenants the news could not be handed over."""
        await self._begin_where_new()
        if not self._ends:
            return 0  # the only ones who listened have left meanwhile
        news = await self.log.news(self._ends, WAIT_MILLISECONDS)
        self._heard_at = time.monotonic()
        failed = [await self._handed_over(*one) for one in news].count(False)
        self._is_back()
        return failed

    async def _begin_where_new(self) -> None:
        for tenant in self.listeners.keys() - self._ends.keys():
            self._begin(tenant, await self.log.end(tenant, for_reader=True))

    def _is_back(self) -> None:
        if self.is_away:
            self.is_away = False
            _show_anew(self.everybody())

    async def _handed_over(self, tenant: int, end: Mark, entries: Sequence[Placed]) -> bool:
        """Whether the tenant's watchers have them. What fails is read again, and after a while left
        out: nobody else's watchers wait for it."""
        try:
            await self._deliver(tenant, entries)
        except Exception as error:
            self._failed[tenant] += 1
            if self._failed[tenant] < _MOST_TRIES:
                if not isinstance(error, DATABASE_AWAY):
                    logger.exception("live updates of a tenant could not be handed over")
                return False
            _show_anew(self.listeners.get(tenant, ()))
        del self._failed[tenant]
        if tenant in self._ends:
            self._ends[tenant] = end
        return True

    async def _deliver(self, tenant: int, entries: Sequence[Placed]) -> None:
        """Where more jobs are told of than may wait, only those that are watched by name are looked
        up, and whoever watches others is shown how things stand."""
        listeners = list(self.listeners.get(tenant, ()))
        if any(entry.event == LOST for _, entry in entries):
            _show_anew(listeners)
        ids = ids_in(entries)
        unnamed = [one for one in listeners if not one.wanted.by_name]
        if len(ids) > MOST_WAITING:
            _show_anew(unnamed)
            unnamed = []
        if not unnamed:
            ids &= set().union(*(one.named for one in listeners))
        for event in await self.loader.events(Duty.READER, tenant, entries, ids):
            self.offer(event, listeners)


def _show_anew(listeners: Iterable[Listener]) -> None:
    for listener in listeners:
        listener.fall_behind()
