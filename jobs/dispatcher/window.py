"""How many messages may wait in the broker, and for which jobs. Pure.

A free slot takes one message of any length. Beyond the free slots only types that are known to
be short are sent ahead, as many as their slots work off until the next tick, so that short jobs
never starve a slot and a long job never has a queue of messages behind it. What is not sent stays
in PostgreSQL, where priority, cancel and pause act on it at once.

Room is counted worker by worker, since a slot is of use only to the queues its worker consumes.
Each message is booked with one worker that can run it, the least flexible first. The broker is
free to hand it to another one; the next look at the load then corrects the books.

Workers drain the levels strictly, so a message takes room from its own level and the lower ones
only: an urgent job is sent at once, however many others are on their way, and overtakes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from jobs.priorities import Level

HORIZON_SECONDS = 0.25  # work sent ahead, a slot
FLOOR_SECONDS = 0.002  # what a job costs its slot at the least: claim, outcome, transport
ROOM_LIMIT = 500  # candidates worth selecting for one queue in one tick

_ASCENDING = tuple(reversed(Level))
_RANKS = {level: rank for rank, level in enumerate(_ASCENDING)}

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
    level: Level


@dataclass(frozen=True, kw_only=True)
class Load:
    """What occupies the slots: jobs that run, by worker, and messages that wait, by their way."""

    running: Mapping[UUID, list[str]]  # incarnation → types
    waiting: Mapping[tuple[str, Level], list[str]]  # queue and level → types


@dataclass(frozen=True, kw_only=True)
class Room:
    """How many candidates of one queue are worth selecting, and from which level upwards."""

    most: int
    lowest: Level


@dataclass(kw_only=True)
class _Bench:
    """The room that one worker has left, for each rank of level, the lowest first.

    Whole microseconds, so that the budget adds up exactly.
    """

    worker: LiveWorker
    free: list[int]  # slots that nothing runs in and no message is meant for
    ahead: list[int]  # work that may still be sent ahead

    def seat(self, rank: int, seconds: float | None, count: int) -> int:
        """Book as many free slots as there are, up to `count`. Returns how many."""
        seated = min(count, max(0, self.free[rank]))
        _take(self.free, rank, seated)
        if not _is_short(seconds):
            _take(self.ahead, rank, seated * _cost(seconds))  # these slots work nothing else off
        return seated

    def queue_up(self, rank: int, seconds: float | None, count: int) -> int:
        """Book behind the slots as many as the budget holds, up to `count`. Returns how many."""
        queued = min(count, max(0, self.ahead[rank]) // _cost(seconds))
        _take(self.ahead, rank, queued * _cost(seconds))
        return queued

    def overdraw(self, rank: int, seconds: float | None, count: int) -> None:
        """Book `count` that are there already, whether they fit or not."""
        _take(self.ahead, rank, count * _cost(seconds))

    def room(self, rank: int) -> int:
        """How many messages fit at the most, were they all of the shortest."""
        return max(0, self.free[rank]) + max(0, self.ahead[rank]) // _micros(FLOOR_SECONDS)


def _take(room: list[int], rank: int, amount: int) -> None:
    """From this rank and every lower one; the higher ones overtake it."""
    if amount:
        for each in range(rank + 1):
            room[each] -= amount


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
        # From the top, as `choose` books: what is booked later never changes a higher level's room.
        waiting = sorted(load.waiting.items(), key=lambda way: _RANKS[way[0][1]], reverse=True)
        for (queue, level), types in waiting:
            for job_type, count in Counter(types).items():
                self._occupy(
                    self._benches(queue, job_type), _RANKS[level], expected(job_type), count
                )

    def rooms(self) -> dict[str, Room]:
        """Of every queue that has any."""
        found = {queue: _room(benches) for queue, benches in self._consuming.items()}
        return {queue: room for queue, room in found.items() if room}

    def take(self, job: Candidate, seconds: float | None) -> bool:
        """Book one job, if a worker has room for it."""
        benches, rank = self._benches(job.queue, job.type), _RANKS[job.level]
        bench = next((bench for bench in benches if bench.free[rank] > 0), None)
        if bench:
            return bench.seat(rank, seconds, 1) == 1
        if not _is_short(seconds):
            return False
        cost = _cost(seconds)
        bench = next((bench for bench in benches if bench.ahead[rank] >= cost), None)
        return bench is not None and bench.queue_up(rank, seconds, 1) == 1

    def _occupy(self, benches: list[_Bench], rank: int, seconds: float | None, count: int) -> None:
        """Messages that wait already: as `take`, but they are there whether they fit or not."""
        for bench in benches:
            count -= bench.seat(rank, seconds, count)
        for bench in benches:
            count -= bench.queue_up(rank, seconds, count)
        if benches:
            benches[0].overdraw(rank, seconds, count)

    def _benches(self, queue: str, job_type: str) -> list[_Bench]:
        """Those who consume the queue and know the type; where nobody does, all who consume."""
        kind = (queue, job_type)
        if kind not in self._able:
            consuming = self._consuming.get(queue, [])
            knowing = [bench for bench in consuming if job_type in bench.worker.types]
            self._able[kind] = knowing or consuming
        return self._able[kind]


def _room(benches: list[_Bench]) -> Room | None:
    rooms = [sum(bench.room(rank) for bench in benches) for rank in range(len(_ASCENDING))]
    lowest = next((level for level, room in zip(_ASCENDING, rooms, strict=True) if room), None)
    return Room(most=min(ROOM_LIMIT, rooms[-1]), lowest=lowest) if lowest else None


def rooms(workers: Iterable[LiveWorker], load: Load, expected: Expected) -> dict[str, Room]:
    """For each consumed queue that has room, what is worth selecting, `ROOM_LIMIT` at most."""
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
    return [job for job in candidates if books.take(job, expected(job.type))]


def _bench(worker: LiveWorker, running: list[str], expected: Expected) -> _Bench:
    long_running = sum(not _is_short(expected(job_type)) for job_type in running)
    return _Bench(
        worker=worker,
        free=[worker.slots - len(running)] * len(_ASCENDING),
        ahead=[(worker.slots - long_running) * _micros(HORIZON_SECONDS)] * len(_ASCENDING),
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
