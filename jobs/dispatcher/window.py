"""How many messages may wait in the broker, and for which jobs. Pure.

A free slot takes one message of any length. Beyond the free slots only types that are known to
be short are sent ahead, as many as their slots work off until the next tick, so that short jobs
never starve a slot and a long job never has a queue of messages behind it. What is not sent stays
in PostgreSQL, where priority, cancel and pause act on it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

HORIZON_SECONDS = 0.25  # work sent ahead, a slot
FLOOR_SECONDS = 0.002  # what a job costs its slot at the least: claim, outcome, transport

Expected = Callable[[str], float | None]


@dataclass(frozen=True, kw_only=True)
class LiveWorker:
    incarnation: UUID
    queues: frozenset[str]
    types: frozenset[str]
    slots: int


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A ready job, in the order in which jobs are to be sent."""

    id: UUID
    queue: str
    type: str


@dataclass(frozen=True, kw_only=True)
class Load:
    """What occupies the slots: jobs that run, by worker, and messages that wait, by queue."""

    running: Mapping[UUID, list[str]]  # incarnation → types
    waiting: Mapping[str, list[str]]  # queue → types


@dataclass(kw_only=True)
class _Pool:
    """Workers that share queues, directly or by way of each other."""

    workers: list[LiveWorker] = field(default_factory=list)
    free: int = 0  # slots that nothing runs in and no message is meant for
    ahead_seconds: float = 0.0  # work that may still be sent ahead

    @property
    def queues(self) -> frozenset[str]:
        return frozenset().union(*(worker.queues for worker in self.workers))


def rooms(workers: Iterable[LiveWorker], load: Load, expected: Expected) -> dict[str, int]:
    """For each consumed queue, how many candidates are worth selecting."""
    return {
        queue: max(0, pool.free) + int(max(0.0, pool.ahead_seconds) / FLOOR_SECONDS)
        for pool in _pools(workers, load, expected)
        for queue in pool.queues
    }


def choose(
    candidates: Iterable[Candidate],
    workers: Iterable[LiveWorker],
    load: Load,
    expected: Expected,
) -> list[Candidate]:
    """Those of the candidates that are to be sent now, in their order."""
    pool_of = {queue: pool for pool in _pools(workers, load, expected) for queue in pool.queues}
    chosen = []
    for candidate in candidates:
        pool = pool_of.get(candidate.queue)
        if pool and _take(pool, expected(candidate.type)):
            chosen.append(candidate)
    return chosen


def _take(pool: _Pool, seconds: float | None) -> bool:
    """Book one job in the pool, if it has room for it."""
    short = _is_short(seconds)
    if pool.free > 0:
        pool.free -= 1
        if not short:
            pool.ahead_seconds -= HORIZON_SECONDS  # its slot works nothing else off
        return True
    if not short or pool.ahead_seconds < _cost(seconds):
        return False
    pool.ahead_seconds -= _cost(seconds)
    return True


def _pools(workers: Iterable[LiveWorker], load: Load, expected: Expected) -> list[_Pool]:
    pools = [_Pool(workers=group) for group in _sharing(workers)]
    for pool in pools:
        slots = sum(worker.slots for worker in pool.workers)
        running = [
            job_type
            for worker in pool.workers
            for job_type in load.running.get(worker.incarnation, [])
        ]
        long_running = sum(not _is_short(expected(job_type)) for job_type in running)
        pool.free = slots - len(running)
        pool.ahead_seconds = (slots - long_running) * HORIZON_SECONDS
        for queue in pool.queues:
            for job_type in load.waiting.get(queue, []):
                _occupy(pool, expected(job_type))
    return pools


def _occupy(pool: _Pool, seconds: float | None) -> None:
    """A message that waits already: as `_take`, but it is there whether it fits or not."""
    if not _take(pool, seconds):
        pool.ahead_seconds -= _cost(seconds)


def _sharing(workers: Iterable[LiveWorker]) -> list[list[LiveWorker]]:
    """Workers grouped so that no queue is consumed from two groups."""
    groups: list[tuple[set[str], list[LiveWorker]]] = []
    for worker in workers:
        touching = [group for group in groups if group[0] & worker.queues]
        merged = (set(worker.queues), [worker])
        for queues, members in touching:
            merged[0].update(queues)
            merged[1].extend(members)
        groups = [group for group in groups if group not in touching] + [merged]
    return [members for _, members in groups]


def _is_short(seconds: float | None) -> bool:
    return seconds is not None and seconds <= HORIZON_SECONDS


def _cost(seconds: float | None) -> float:
    return max(FLOOR_SECONDS, HORIZON_SECONDS if seconds is None else seconds)
