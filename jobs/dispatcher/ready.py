"""The ready jobs that can be sent now, in the order to send them: highest priority first, then the
oldest."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from jobs.dispatcher.aged import AgedBand
from jobs.dispatcher.keyed import KeyHeads
from jobs.dispatcher.ready_sql import PAGE_BELOW, PAGE_OF_PRIORITY, READY
from jobs.dispatcher.survey import Seen, Stretch, Survey
from jobs.dispatcher.window import Candidate, Room
from jobs.policies.buckets import Place
from jobs.priorities import FLOORS, level_of

DEPTH = 500  # rows read from one place in one tick
TENANTS = 500  # of one queue, visited in one tick
PAGE = 1500  # rows of a survey in one tick
_NEXT_TENANTS = 0.02
_SOON, _LATER = 0.005, 0.05  # seconds to the next tick while there is something to survey

Pair = tuple[str, int]  # queue and tenant


_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the reading has to know of limits, holds and ageing."""

    barred_tenants: Sequence[int] = ()
    held_keys: Sequence[str] = ()  # TENANT:KEY, whatever the type
    barred_keys: Sequence[str] = ()  # TYPE:TENANT:KEY
    has_keys: bool = False  # whether any type computes one
    effective: Callable[[Place, int, datetime], int] = lambda place, priority, queued_at: priority
    aged_before: datetime = _NEVER  # younger ones are as they were


NO_POLICY = Policy()


class _Found(NamedTuple):
    id: UUID
    queue: str
    tenant_id: int
    type: str
    limit_key: str
    priority: int
    seq: int
    queued_at: datetime | None  # of one that has aged
    can_start: bool
    is_end: bool  # as deep as one tick reads
    band: bool  # found in a stretch of a single priority
    share: int

    @property
    def pair(self) -> Pair:
        return (self.queue, self.tenant_id)

    @property
    def place(self) -> tuple[str, int, int]:
        return (self.queue, self.tenant_id, self.priority)


class Ready:
    """What one dispatcher knows about the ready jobs; in memory, and learned again by the next."""

    def __init__(self) -> None:
        self._surveys: dict[Pair, Survey] = {}
        self._keyed = KeyHeads()
        self._after: dict[str, int] = {}  # queue → the last tenant that was visited
        self.aged: Sequence[AgedBand] = ()  # set by whoever looks after them

    @property
    def look_again_within(self) -> float:
        """Seconds, so that a survey gets on."""
        if any(survey.is_first for survey in self._surveys.values()):
            return _SOON
        if self._after:
            return _NEXT_TENANTS
        return _LATER if self._surveys else float("inf")

    def select(self, rooms: Mapping[str, Room], policy: Policy = NO_POLICY) -> list[Candidate]:
        """The next jobs of each queue with room, of each tenant some, in the order of priority and
        age. What stands behind many that cannot be sent is found a few ticks later."""
        if not rooms:
            return []
        floors = {queue: _floors(room) for queue, room in rooms.items()}
        found = self._read(floors, rooms, policy)
        self._learn(found, rooms)
        pairs = [
            pair for pair in self._surveys
            if pair[0] in rooms and pair[1] not in policy.barred_tenants
        ]  # fmt: skip
        self._survey_one(pairs)
        jobs = {each.id: _candidate(each, policy) for each in found if each.can_start}
        if policy.has_keys and pairs:
            rows = self._keyed.read(
                pairs, floors, held_keys=policy.held_keys, barred_keys=policy.barred_keys
            )
            more = [_Found(*row) for row in rows]
            jobs |= {each.id: _candidate(each, policy) for each in more}
        return sorted(jobs.values(), key=lambda job: (-job.priority, job.seq))

    def _read(
        self, floors: Mapping[str, Mapping[str, int]], rooms: Mapping[str, Room], policy: Policy
    ) -> list[_Found]:
        aged = [band for band in self.aged if band.queue in rooms]
        parameters: dict[str, Any] = {
            "queues": list(rooms),
            "rooms": [room.most for room in rooms.values()],
            "floors": [json.dumps(floors[queue]) for queue in rooms],
            "lowest": [min(floors[queue].values()) for queue in rooms],
            "after_tenants": [self._after.get(queue, 0) for queue in rooms],
            "tenants": TENANTS,
            "depth": DEPTH,
            "aged_before": policy.aged_before,
            "barred_tenants": list(policy.barred_tenants),
            "held_keys": list(policy.held_keys),
            "barred_keys": list(policy.barred_keys),
            "a_queues": [band.queue for band in aged],
            "a_tenants": [band.tenant for band in aged],
            "a_priorities": [band.priority for band in aged],
            "a_aged": [band.aged_to for band in aged],
        }
        with connection.cursor() as cursor:
            cursor.execute(READY, parameters | self._stretches(floors, policy))
            rows = cursor.fetchall()
        self._note_ends(rooms, [row for row in rows if row[0] is None])
        return [_Found(*row) for row in rows if row[0] is not None]

    def _note_ends(self, queues: Iterable[str], ends: Iterable[tuple[Any, ...]]) -> None:
        """Of a queue with more tenants than one tick visits, the next tick visits the next ones."""
        for queue in queues:
            self._after.pop(queue, None)
        for _, queue, tenant, *_, visited in ends:
            if visited >= TENANTS:
                self._after[queue] = tenant

    def _stretches(
        self, floors: Mapping[str, Mapping[str, int]], policy: Policy
    ) -> dict[str, list[Any]]:
        rows: list[tuple[Pair, Stretch]] = [
            (pair, stretch)
            for pair, survey in self._surveys.items()
            if pair[0] in floors and pair[1] not in policy.barred_tenants
            for stretch in survey.stretches(floors[pair[0]])
        ]
        return {
            "s_queues": [queue for (queue, _), _ in rows],
            "s_tenants": [tenant for (_, tenant), _ in rows],
            "s_highest": [stretch.highest for _, stretch in rows],
            "s_lowest": [stretch.lowest for _, stretch in rows],
            "s_after": [stretch.after for _, stretch in rows],
        }

    def _learn(self, found: list[_Found], rooms: Mapping[str, Room]) -> None:
        """From the places where a tick read as deep as it may."""
        heads = Counter(job.pair for job in found if job.can_start and not job.band)
        fruitful = {job.place for job in found if job.can_start and job.band}
        for job in found:
            if job.is_end and not job.band and heads[job.pair] < job.share:
                self._surveys.setdefault(job.pair, Survey()).is_needed = True
            elif job.is_end and job.band and job.place not in fruitful:
                self._surveys[job.pair].pass_over(job.priority, job.seq, _floors(rooms[job.queue]))

    def _survey_one(self, pairs: list[Pair]) -> None:
        """A page of the survey whose turn it is; the first walk of each goes first."""
        if not pairs:
            return
        pair = min(pairs, key=lambda pair: not self._surveys[pair].is_first)
        survey = self._surveys.pop(pair)
        page = _page(pair, survey.at)
        is_last = sum(seen.number for seen in page) < PAGE
        if survey.take_in(page, is_last=is_last):
            self._surveys[pair] = survey  # behind the others


def _candidate(job: _Found, policy: Policy) -> Candidate:
    place = Place(job.queue, job.type, job.tenant_id, job.limit_key)
    priority = job.priority
    if job.queued_at is not None:
        priority = policy.effective(place, priority, job.queued_at)
    return Candidate(
        id=job.id,
        queue=job.queue,
        type=job.type,
        level=level_of(priority),
        tenant=job.tenant_id,
        key=job.limit_key,
        priority=priority,
        seq=job.seq,
    )


def _page(pair: Pair, after: tuple[int, int]) -> list[Seen]:
    """What stands behind this priority and `seq`."""
    names: dict[str, Any] = {
        "queue": pair[0],
        "tenant": pair[1],
        "priority": after[0],
        "seq": after[1],
    }
    with connection.cursor() as cursor:
        cursor.execute(PAGE_OF_PRIORITY, names | {"rows": PAGE})
        page = [Seen(*row) for row in cursor.fetchall()]
        if left := PAGE - sum(seen.number for seen in page):
            cursor.execute(PAGE_BELOW, names | {"rows": left})
            page += [Seen(*row) for row in cursor.fetchall()]
    return page


def _floors(room: Room) -> dict[str, int]:
    return {job_type: FLOORS[level] for job_type, level in room.lowest.items()}
