"""Who is next: levels are strict; inside a level queue names take turns, and inside a queue its
tenants, each by its weight; inside a tenant priority decides, then age. Pure.

Turns are start-time fair queueing, as in Goyal, Vin and Cheng, "Start-time Fair Queuing" (1996):
each start moves its tenant's tag by 1/weight, and the smallest tag is next. It shares as deficit
round robin does, and interleaves more finely. Nobody saves up turns while having nothing to send.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

from jobs.dispatcher.window import Candidate
from jobs.priorities import Level

Who = TypeVar("Who", bound=Hashable)
Weigh = Callable[[Who], int]


class Turns(Generic[Who]):
    """The tags of those who share something, kept from one round to the next."""

    def __init__(self) -> None:
        self._tags: dict[Who, float] = {}
        self._now = 0.0  # the tag with which the last start was made
        self._floor = 0.0  # whoever was away begins here

    def begin(self) -> None:
        """A new round. Tags that tell nothing more are forgotten."""
        self._floor = self._now
        self._tags = {who: tag for who, tag in self._tags.items() if tag > self._floor}

    def tag(self, who: Who) -> float:
        return max(self._floor, self._tags.get(who, 0.0))

    def charge(self, who: Who, weight: int) -> None:
        """It has had a start."""
        tag = self.tag(who)
        self._now = max(self._now, tag)
        self._tags[who] = tag + 1 / max(1, weight)


class Fairness:
    """Chooses among the candidates of one tick after another."""

    def __init__(self) -> None:
        self._queues: dict[Level, Turns[str]] = {level: Turns() for level in Level}
        self._tenants: dict[tuple[Level, str], Turns[int]] = {}

    def choose(
        self,
        candidates: Iterable[Candidate],
        take: Callable[[Candidate], bool],
        *,
        queue_weights: Mapping[str, int],
        tenant_weights: Mapping[int, int],
    ) -> list[Candidate]:
        """Those that `take` accepts, offered in the order of turns, each once. What is refused
        costs its tenant no turn."""
        by_level: dict[Level, dict[str, dict[int, list[Candidate]]]] = {}
        for job in candidates:
            queues = by_level.setdefault(job.level, {})
            queues.setdefault(job.queue, {}).setdefault(job.tenant, []).append(job)
        chosen: list[Candidate] = []
        for level in Level:
            if level in by_level:
                offers = {
                    queue: _Offers(self._turns_of(level, queue), tenants, tenant_weights)
                    for queue, tenants in by_level[level].items()
                }
                chosen += _choose_from(self._queues[level], offers, queue_weights, take)
        return chosen

    def _turns_of(self, level: Level, queue: str) -> Turns[int]:
        return self._tenants.setdefault((level, queue), Turns())


class _Offers:
    """The candidates of one queue and level, in the order of its tenants' turns."""

    def __init__(
        self,
        turns: Turns[int],
        tenants: Mapping[int, list[Candidate]],
        weights: Mapping[int, int],
    ) -> None:
        turns.begin()
        self._turns = turns
        self._weights = weights
        self._waiting = {
            tenant: sorted(jobs, key=_rank, reverse=True) for tenant, jobs in tenants.items()
        }
        self._heap = [self._entry(tenant) for tenant in tenants]
        heapify(self._heap)

    def _entry(self, tenant: int) -> tuple[float, int, int, int]:
        head = self._waiting[tenant][-1]
        return (self._turns.tag(tenant), -head.priority, head.seq, tenant)

    def one(self, take: Callable[[Candidate], bool]) -> Candidate | None:
        """The next that is taken; None: nothing is left that would be."""
        while self._heap:
            *_, tenant = heappop(self._heap)
            jobs = self._waiting[tenant]
            while jobs:
                job = jobs.pop()
                if take(job):
                    self._turns.charge(tenant, self._weights.get(tenant, 1))
                    if jobs:
                        heappush(self._heap, self._entry(tenant))
                    return job
        return None


def _rank(job: Candidate) -> tuple[int, int]:
    """Descending, since the next one is popped from the end."""
    return (-job.priority, job.seq)


def _choose_from(
    turns: Turns[str],
    offers: Mapping[str, _Offers],
    weights: Mapping[str, int],
    take: Callable[[Candidate], bool],
) -> list[Candidate]:
    turns.begin()
    heap = [(turns.tag(queue), queue) for queue in offers]
    heapify(heap)
    chosen = []
    while heap:
        _, queue = heappop(heap)
        job = offers[queue].one(take)
        if job is not None:
            chosen.append(job)
            turns.charge(queue, weights.get(queue, 1))
            heappush(heap, (turns.tag(queue), queue))
    return chosen
