"""How many messages may wait in the broker, and for which jobs. Pure.

A free slot takes one message of any length. Beyond the free slots only types that are known to
be short are sent ahead, as many as their slots work off until the next tick, so that short jobs
never starve a slot and a long job never has a queue of messages behind it. What is not sent stays
in PostgreSQL, where priority, cancel and pause act on it at once.

Room is counted worker by worker, since a slot is of use only to the queues its worker consumes.
Each message is booked with one worker that can run it, the least flexible first. The broker is
free to hand it to another one; the next look at the load then corrects the books.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

HORIZON_SECONDS = 0.25  # work sent ahead, a slot
FLOOR_SECONDS = 0.002  # what a job costs its slot at the least: claim, outcome, transport
ROOM_LIMIT = 500  # candidates worth selecting for one queue in one tick

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
class _Bench:
    """The room that one worker has left. Whole microseconds, so that the budget adds up exactly."""

    worker: LiveWorker
    free: int  # slots that nothing runs in and no message is meant for
    ahead: int  # work that may still be sent ahead

    def seat(self, seconds: float | None, count: int) -> int:
        """Book as many free slots as there are, up to `count`. Returns how many."""
        seated = min(count, max(0, self.free))
        self.free -= seated
        if not _is_short(seconds):
            self.ahead -= seated * _cost(seconds)  # these slots work nothing else off
        return seated

    def queue_up(self, seconds: float | None, count: int) -> int:
        """Book behind the slots as many as the budget holds, up to `count`. Returns how many."""
        queued = min(count, max(0, self.ahead) // _cost(seconds))
        self.ahead -= queued * _cost(seconds)
        return queued

    def room(self) -> int:
        """How many messages fit at the most, were they all of the shortest."""
        return max(0, self.free) + max(0, self.ahead) // _micros(FLOOR_SECONDS)


class _Books:
    """Which worker is to run what: first what runs and waits already, then what is taken."""

    def __init__(self, workers: Iterable[LiveWorker], load: Load, expected: Expected) -> None:
        # The least flexible come first, so that the flexible ones stay free for other queues.
        ordered = sorted(workers, key=lambda worker: len(worker.queues))
        self._consuming: dict[str, list[_Bench]] = {}
        self._able: dict[tuple[str, str], list[_Bench]] = {}
        for worker in ordered:
            bench = _bench(worker, load.running.get(worker.incarnation, []), expected)
            for queue in worker.queues:
                self._consuming.setdefault(queue, []).append(bench)
        for queue, types in load.waiting.items():
            for job_type, count in Counter(types).items():
                self._occupy(self._benches(queue, job_type), expected(job_type), count)

    def rooms(self) -> dict[str, int]:
        return {
            queue: min(ROOM_LIMIT, sum(bench.room() for bench in benches))
            for queue, benches in self._consuming.items()
        }

    def take(self, queue: str, job_type: str, seconds: float | None) -> bool:
        """Book one job, if a worker has room for it."""
        benches = self._benches(queue, job_type)
        bench = next((bench for bench in benches if bench.free > 0), None)
        if bench:
            return bench.seat(seconds, 1) == 1
        if not _is_short(seconds):
            return False
        cost = _cost(seconds)
        bench = next((bench for bench in benches if bench.ahead >= cost), None)
        return bench is not None and bench.queue_up(seconds, 1) == 1

    def _occupy(self, benches: list[_Bench], seconds: float | None, count: int) -> None:
        """Messages that wait already: as `take`, but they are there whether they fit or not."""
        for bench in benches:
            count -= bench.seat(seconds, count)
        for bench in benches:
            count -= bench.queue_up(seconds, count)
        if benches:
            benches[0].ahead -= count * _cost(seconds)

    def _benches(self, queue: str, job_type: str) -> list[_Bench]:
        """Those who consume the queue and know the type; where nobody does, all who consume."""
        kind = (queue, job_type)
        if kind not in self._able:
            consuming = self._consuming.get(queue, [])
            knowing = [bench for bench in consuming if job_type in bench.worker.types]
            self._able[kind] = knowing or consuming
        return self._able[kind]


def rooms(workers: Iterable[LiveWorker], load: Load, expected: Expected) -> dict[str, int]:
    """For each consumed queue, how many candidates are worth selecting, `ROOM_LIMIT` at most."""
    return _Books(workers, load, expected).rooms()


def choose(
    candidates: Iterable[Candidate],
    workers: Iterable[LiveWorker],
    load: Load,
    expected: Expected,
) -> list[Candidate]:
    """Those of the candidates that are to be sent now, in their order.

    A slot is left free only when none of the candidates is one that its worker could run.
    """
    books = _Books(workers, load, expected)
    return [job for job in candidates if books.take(job.queue, job.type, expected(job.type))]


def _bench(worker: LiveWorker, running: list[str], expected: Expected) -> _Bench:
    long_running = sum(not _is_short(expected(job_type)) for job_type in running)
    return _Bench(
        worker=worker,
        free=worker.slots - len(running),
        ahead=(worker.slots - long_running) * _micros(HORIZON_SECONDS),
    )


def _is_short(seconds: float | None) -> bool:
    return seconds is not None and seconds <= HORIZON_SECONDS


def _cost(seconds: float | None) -> int:
    """What a job takes from its worker's budget: at the most all that one slot has."""
    if seconds is None or seconds > HORIZON_SECONDS:
        return _micros(HORIZON_SECONDS)
    return _micros(max(FLOOR_SECONDS, seconds))


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)
