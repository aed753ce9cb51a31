"""One watcher, as the hub sees it: what it wants, and the events that wait for it."""

from __future__ import annotations

import asyncio
from collections import deque
from enum import Enum, auto
from uuid import UUID

from jobs.live.events import Event
from jobs.live.grant import Grant, Wanted
from jobs.live.marks import BEGINNING, Mark

MOST_WAITING = 1_000


class Why(Enum):
    """Why a stream ends that nobody left."""

    MAY_NO_MORE = auto()
    STOPPING = auto()  # the process


class Listener:
    """Events wait in order, up to MOST_WAITING; a watcher that is slower loses them all and is
    `behind`: it gets snapshots instead. Everything here runs in the event loop's thread."""

    def __init__(self, grant: Grant) -> None:
        self.grant = grant
        self.wanted: Wanted = grant.wanted
        self.behind = False
        self.closed: Why | None = None
        self.floor: Mark = BEGINNING  # what lies before it was told otherwise
        self._events: deque[Event] = deque()
        self._held: dict[UUID, list[Event]] = {}
        self._some = asyncio.Event()

    @property
    def named(self) -> set[UUID]:
        """The jobs that it watches by name, or is about to."""
        return {*self.wanted.jobs, *self._held}

    def offer(self, event: Event) -> None:
        if event.row is not None and event.row.id in self._held:
            self._held[event.row.id].append(event)
        elif self.takes(event):
            self._put(event)

    def takes(self, event: Event) -> bool:
        row = event.row
        return row is not None and self.grant.may_see(row) and self.wanted.takes(row)

    def is_news(self, event: Event) -> bool:
        return event.extra or event.mark > self.floor

    def _put(self, event: Event) -> None:
        if len(self._events) >= MOST_WAITING:
            self.fall_behind()
        else:
            self._events.append(event)
            self._some.set()

    def fall_behind(self) -> None:
        """What waits is worth nothing any more: it is to be shown everything anew."""
        self._events.clear()
        self.behind = True
        self._some.set()

    def close(self, why: Why) -> None:
        self.closed = why
        self._some.set()

    def hold(self, job_id: UUID) -> None:
        """Keep back this job's events until `release`: its first ones are being looked up."""
        self._held[job_id] = []

    def release(self, job_id: UUID, after: Mark | None) -> None:
        """Let those out that came after what it was told; None: it does not watch the job."""
        held = self._held.pop(job_id, [])
        if after is not None:
            self.wanted = self.wanted.with_job(job_id)
            for event in held:
                if self.takes(event) and (event.extra or event.mark > after):
                    self._put(event)

    async def next(self, seconds: float) -> Event | None:
        """The next event; None after so many seconds, or where it is `behind` or `closed`."""
        if not self._events and not self.behind and not self.closed:
            self._some.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._some.wait()
            except TimeoutError:
                return None
        while self._events and not self.behind and not self.closed:
            event = self._events.popleft()
            if self.is_news(event):
                return event
        return None
