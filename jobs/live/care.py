"""What no entry tells: a job's place in the queue, an entry that was lost, a token that was
revoked. Looked at every second, for those who watch."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from accounts.api.again import still_good
from jobs.live import rows
from jobs.live.entries import POSITION, SNAPSHOT
from jobs.live.events import Event
from jobs.live.hub import DATABASE_AWAY, Hub, Told
from jobs.live.listener import Listener, Why
from jobs.live.loader import Duty
from jobs.live.marks import BEGINNING
from jobs.live.rows import Row
from jobs.states import Status

logger = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
LOOK_EVERY_SECONDS = 15.0
LOOK_EVERY_SECONDS_ALONE = 1.0  # while Redis is away, and where something differs
ON_ITS_WAY_SECONDS = 3.0  # an entry may be, on a busy machine
_PLACES_SHARE = 4  # after counting places for a second, none is counted for so many
_MOST_LOOKED_AT = 500


class _Difference(NamedTuple):
    """Between a job and what was `told` of it, since a moment of the monotonic clock."""

    told: Told | None
    since: float


class Care:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._looked_at = self._places_at = 0.0
        self._differing: dict[UUID, _Difference] = {}
        self._looked_to: dict[int, int] = {}

    async def run(self) -> None:
        """Look at jobs."""
        await self._each_second(self._round)

    async def run_for_watchers(self) -> None:
        """End the streams of whoever may watch no more."""
        await self._each_second(self._end_unwelcome)

    async def _each_second(self, step: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            if not self._hub.listeners:
                continue
            try:
                await step()
            except DATABASE_AWAY:
                continue
            except Exception:
                logger.exception("looking after live updates failed")

    async def _round(self) -> None:
        now = time.monotonic()
        alone = self._hub.is_away or self._differing
        if now - self._looked_at >= (LOOK_EVERY_SECONDS_ALONE if alone else LOOK_EVERY_SECONDS):
            self._looked_at = now
            await self._look()
        if now >= self._places_at:
            await self._tell_places()
            self._places_at = now + _PLACES_SHARE * (time.monotonic() - now)

    async def _end_unwelcome(self) -> None:
        """Whoever's token was revoked or has expired, or who may not sign in any more."""
        everybody = self._hub.everybody()
        principals = {one.grant.access.principal for one in everybody}
        good = await self._hub.loader.run(Duty.CARE, still_good, principals)
        for listener in everybody:
            if listener.grant.access.principal not in good:
                listener.close(Why.MAY_NO_MORE)

    # --- entries that were lost ----------------------------------------------------------------

    async def _look(self) -> None:
        """Compare the watched jobs with what was told of them."""
        watched = {job for _, jobs in self._watched() for job in jobs}
        differing = {job: known for job, known in self._differing.items() if job in watched}
        self._hub.told = {job: told for job, told in self._hub.told.items() if job in watched}
        for tenant, jobs in list(self._watched()):
            page = self._next_page(tenant, jobs)
            found = await self._hub.loader.rows(Duty.CARE, tenant, page)
            for job in page:
                differing.pop(job, None)
            for row in filter(self._differs, found.values()):
                differing[row.id] = difference = self._difference(row.id)
                if self._is_lost(difference):
                    self._tell(tenant, SNAPSHOT, row)
        self._differing = differing

    def _difference(self, job: UUID) -> _Difference:
        """Since when it is as it is. One of which something was told meanwhile is a new one: that
        was another change's entry, and the next one's may be on its way."""
        told, known = self._hub.told.get(job), self._differing.get(job)
        return known if known and known.told == told else _Difference(told, time.monotonic())

    def _is_lost(self, difference: _Difference) -> bool:
        """Or is the entry only on its way? While Redis is away there are none."""
        lasted = time.monotonic() - difference.since
        return self._hub.is_away or lasted >= ON_ITS_WAY_SECONDS

    def _next_page(self, tenant: int, jobs: list[UUID]) -> list[UUID]:
        """As many as one look may cost, beginning where the last one ended."""
        if len(jobs) <= _MOST_LOOKED_AT:
            return jobs
        start = self._looked_to.get(tenant, 0) % len(jobs)
        self._looked_to[tenant] = start + _MOST_LOOKED_AT
        return [*jobs[start:], *jobs[:start]][:_MOST_LOOKED_AT]

    def _differs(self, row: Row) -> bool:
        told = self._hub.told.get(row.id)
        if told is None:
            return True
        ended = told.ended or not row.is_final
        return not ended or told[:2] != Told(row.status, row.shown["progress"], ended)[:2]

    # --- places --------------------------------------------------------------------------------

    async def _tell_places(self) -> None:
        for tenant, jobs in list(self._watched()):
            queued = [job for job in jobs if self._is_queued(job)][:_MOST_LOOKED_AT]
            found = await self._hub.loader.rows(Duty.CARE, tenant, queued)
            for row in found.values():
                row = await self._hub.loader.run(Duty.CARE, rows.placed, row)
                told, place = self._hub.told.get(row.id), row.shown["position"]
                if told and place is not None and place != told.place:
                    self._tell(tenant, POSITION, row)

    def _is_queued(self, job: UUID) -> bool:
        told = self._hub.told.get(job)
        return told is not None and told.status == Status.QUEUED

    # --- both ----------------------------------------------------------------------------------

    def _watched(self) -> Iterator[tuple[int, list[UUID]]]:
        """Of each tenant the jobs that are watched by name."""
        for tenant, listeners in list(self._hub.listeners.items()):
            jobs = {job for one in listeners for job in one.wanted.jobs}
            if jobs:
                yield tenant, sorted(jobs)

    def _tell(self, tenant: int, name: str, row: Row) -> None:
        mark = self._hub.end_of(tenant)
        event = Event(name, mark or BEGINNING, datetime.now(UTC), row, extra=True)
        self._hub.offer(event, self._named(tenant, row.id))

    def _named(self, tenant: int, job: UUID) -> list[Listener]:
        listeners = self._hub.listeners.get(tenant, ())
        return [one for one in listeners if job in one.wanted.jobs]
