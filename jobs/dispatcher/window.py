"""How many messages may wait in the broker, and for which jobs. Pure.

A free slot takes one message of any length. Beyond the free slots jobs are sent ahead that begin
within the horizon: a slot works off many of a type that is known to be short, and of any other
type one, behind which nothing is sent. So short jobs never starve a slot, a long job has no queue
of messages behind it, and none is passed over for its length, although slots that short jobs keep
busy are never seen free. What is not sent stays in PostgreSQL, where priority, cancel
and pause act on it at once.

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

from jobs.policies.buckets import Place
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A ready job, in the order in which jobs are to be sent."""

    id: UUID
    queue: str
    type: str
    level: Level
    tenant: int = 0
    key: str = ""  # its limit key
    priority: int = 0  # with ageing
    seq: int = 0

    @property
    def place(self) -> Place:
        return Place(self.queue, self.type, self.tenant, self.key)


@dataclass(frozen=True, kw_only=True)
class Load:
    """What occupies the slots: jobs that run, by worker, and messages that wait, by their way."""

    running: Mapping[UUID, list[str]]  # incarnation → types
    waiting: Mapping[tuple[str, Level], list[str]]  # queue and level → types


@dataclass(frozen=True, kw_only=True)
class Room:
    """Which candidates of one queue are worth selecting, and how many."""

    most: int
    lowest: Mapping[str, Level]  # type → the lowest level at which a worker has room for one


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
        """Book behind the slots as many as begin within the budget, up to `count`. Returns how
        many; the last one may end beyond it."""
        queued = min(count, _ceil(max(0, self.ahead[rank]), _cost(seconds)))
        _take(self.ahead, rank, queued * _cost(seconds))
        return queued

    def overdraw(self, rank: int, seconds: float | None, count: int) -> None:
        """Book `count` that are there already, whether they fit or not."""
        _take(self.ahead, rank, count * _cost(seconds))

    def most(self, expected: Expected) -> int:
        """How many messages fit at the most, were they all of the shortest type and highest."""
        shortest = min((_cost(expected(each)) for each in self.worker.types), default=0)
        ahead = _ceil(max(0, self.ahead[-1]), shortest) if shortest else 0
        return max(0, self.free[-1]) + ahead

    def lowest_rank(self) -> int | None:
        """Of those with room for a job; higher ones then have it too."""
        for rank, (free, ahead) in enumerate(zip(self.free, self.ahead, strict=True)):
            if free > 0 or ahead > 0:
                return rank
        return None


def _take(room: list[int], rank: int, amount: int) -> None:
    """From this rank and every lower one; the higher ones overtake it."""
    if amount:
        for each in range(rank + 1):
            room[each] -= amount


class Books:
    """Which worker is to run what: first what runs and waits already, then what is taken.

    A slot is left free only when none of the jobs offered is one that its worker could run, and a
    worker that has no room for a job has none for a later one of that level. A type that no worker
    of the queue knows is never taken.
    """

    def __init__(self, workers: Iterable[LiveWorker], load: Load, expected: Expected) -> None:
        # The least flexible come first, so that the flexible ones stay free for other queues.
        ordered = sorted(workers, key=lambda worker: len(worker.queues))
        self._consuming: dict[str, list[_Bench]] = {}
        self._able: dict[tuple[str, str], list[_Bench]] = {}
        self._full: set[tuple[str, str, int]] = set()  # queue, type, rank
        for worker in ordered:
            bench = _bench(worker, load.running.get(worker.incarnation, []), expected)
            for queue in worker.queues:
                self._consuming.setdefault(queue, []).append(bench)
        # From the top, as jobs are offered: a later booking never changes a higher level's room.
        # In a level first what few can run, else it would be booked where others are already.
        kinds = [
            (_RANKS[level], self._in_the_way(queue, job_type), expected(job_type), count)
            for (queue, level), types in load.waiting.items()
            for job_type, count in Counter(types).items()
        ]
        for rank, benches, seconds, count in sorted(
            kinds, key=lambda kind: (-kind[0], len(kind[1]))
        ):
            self._occupy(benches, rank, seconds, count)

    def rooms(self, expected: Expected) -> dict[str, Room]:
        """Of every queue that has any."""
        every = {
            bench.worker.incarnation: bench
            for benches in self._consuming.values()
            for bench in benches
        }
        ranks = {key: bench.lowest_rank() for key, bench in every.items()}
        most = {key: bench.most(expected) for key, bench in every.items()}
        found = {
            queue: _room(
                [most[bench.worker.incarnation] for bench in benches],
                [(bench.worker.types, ranks[bench.worker.incarnation]) for bench in benches],
            )
            for queue, benches in self._consuming.items()
        }
        return {queue: room for queue, room in found.items() if room.lowest}

    def take(
        self,
        job: Candidate,
        seconds: float | None,
        *,
        may_start: Callable[[Candidate], bool] = lambda job: True,
    ) -> bool:
        """Book one job, if a worker has room for it and it `may_start`, which is asked last."""
        rank = _RANKS[job.level]
        kind = (job.queue, job.type, rank)
        if kind in self._full:
            return False
        benches = self._knowing(job.queue, job.type)
        bench = next((bench for bench in benches if bench.free[rank] > 0), None)
        if bench:
            return may_start(job) and bench.seat(rank, seconds, 1) == 1
        bench = next((bench for bench in benches if bench.ahead[rank] > 0), None)
        if bench is None:
            self._full.add(kind)  # room only shrinks
            return False
        return may_start(job) and bench.queue_up(rank, seconds, 1) == 1

    def _occupy(self, benches: list[_Bench], rank: int, seconds: float | None, count: int) -> None:
        """Messages that wait already: as `take`, but they are there whether they fit or not."""
        for bench in benches:
            count -= bench.seat(rank, seconds, count)
        for bench in benches:
            count -= bench.queue_up(rank, seconds, count)
        if benches:
            benches[0].overdraw(rank, seconds, count)

    def _in_the_way(self, queue: str, job_type: str) -> list[_Bench]:
        """Where nobody knows the type (any more), the message may lie in anybody's way."""
        return self._knowing(queue, job_type) or self._consuming.get(queue, [])

    def _knowing(self, queue: str, job_type: str) -> list[_Bench]:
        """Those who consume the queue and know the type."""
        kind = (queue, job_type)
        if kind not in self._able:
            consuming = self._consuming.get(queue, [])
            self._able[kind] = [bench for bench in consuming if job_type in bench.worker.types]
        return self._able[kind]


def _room(most: list[int], ranks: list[tuple[frozenset[str], int | None]]) -> Room:
    lowest: dict[str, int] = {}
    for types, rank in ranks:
        if rank is not None:
            lowest |= {each: min(rank, lowest.get(each, rank)) for each in types}
    return Room(
        most=min(ROOM_LIMIT, sum(most)),
        lowest={job_type: _ASCENDING[rank] for job_type, rank in lowest.items()},
    )


def rooms(workers: Iterable[LiveWorker], load: Load, expected: Expected) -> dict[str, Room]:
    """For each consumed queue that has room, what is worth selecting, `ROOM_LIMIT` at most."""
    return Books(workers, load, expected).rooms(expected)


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


def _ceil(amount: int, part: int) -> int:
    return -(-amount // part)


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)
