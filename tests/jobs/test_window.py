"""How much is sent ahead: a message for each free slot, and what begins within the horizon."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from unittest.mock import ANY
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from jobs.dispatcher.window import (
    FLOOR_SECONDS,
    HORIZON_SECONDS,
    ROOM_LIMIT,
    Books,
    Candidate,
    LiveWorker,
    Load,
    Room,
    rooms,
)
from jobs.priorities import FLOORS, Level

UNKNOWN = "unknown"
SECONDS = {"long": 60.0, "quick": 0.05, "tiny": 0.0001, "odd": 0.07, "edge": HORIZON_SECONDS}
expected: Callable[[str], float | None] = SECONDS.get  # UNKNOWN has none
EVERY_TYPE = frozenset({*SECONDS, UNKNOWN})


def worker(number: int, slots: int, *queues: str, types: frozenset[str] = EVERY_TYPE) -> LiveWorker:
    return LiveWorker(
        incarnation=UUID(int=number),
        queues=frozenset(queues or ("default",)),
        types=types,
        slots=slots,
    )


def candidates(
    job_type: str, count: int, queue: str = "default", level: Level = Level.NORMAL
) -> list[Candidate]:
    return [
        Candidate(id=UUID(int=n), queue=queue, type=job_type, level=level) for n in range(count)
    ]


def load(
    running: dict[int, list[str]] | None = None,
    waiting: dict[str, list[str]] | None = None,
    level: Level = Level.NORMAL,
) -> Load:
    return Load(
        running={UUID(int=number): types for number, types in (running or {}).items()},
        waiting={(queue, level): types for queue, types in (waiting or {}).items()},
    )


def sent(
    ready: Iterable[Candidate], workers: list[LiveWorker], at_work: Load | None = None
) -> list[Candidate]:
    books = Books(workers, at_work or load(), expected)
    return [job for job in ready if books.take(job, expected(job.type))]


def test_without_a_worker_nothing_is_sent() -> None:
    assert sent(candidates("tiny", 5), []) == []
    assert rooms([], load(), expected) == {}


def test_a_queue_that_no_worker_consumes_gets_nothing() -> None:
    assert sent(candidates("tiny", 5, "mail"), [worker(1, 4)]) == []
    assert set(rooms([worker(1, 4)], load(), expected)) == {"default"}


def test_free_slots_take_jobs_of_any_length_and_no_more() -> None:
    for job_type in ("long", "unknown"):
        assert len(sent(candidates(job_type, 10), [worker(1, 3), worker(2, 2)])) == 5


def test_a_slot_that_is_busy_or_spoken_for_is_not_free() -> None:
    at_work = load(running={1: ["long"]}, waiting={"default": ["long"]})

    assert len(sent(candidates("long", 10), [worker(1, 4)], at_work)) == 2


def test_a_long_job_never_waits_behind_another_long_one() -> None:
    for occupant in ("long", "unknown"):
        assert sent(candidates("long", 3), [worker(1, 1)], load(running={1: [occupant]})) == []


def test_a_long_job_is_next_in_a_slot_that_a_short_one_keeps_busy() -> None:
    for occupant in ("quick", "tiny", "edge"):
        busy = load(running={1: [occupant]})
        assert len(sent(candidates("long", 3), [worker(1, 1)], busy)) == 1
        busy = load(running={1: [occupant]}, waiting={"default": ["quick"] * 4})
        assert len(sent(candidates("long", 3), [worker(1, 1)], busy)) == 1


def test_a_long_job_does_not_begin_beyond_the_horizon() -> None:
    full = load(running={1: ["quick"]}, waiting={"default": ["quick"] * 5})

    assert sent(candidates("long", 3), [worker(1, 1)], full) == []
    assert sent(candidates("quick", 3), [worker(1, 1)], full) == []


def test_an_urgent_long_job_is_sent_past_a_full_window_of_short_ones() -> None:
    full = load(running={1: ["quick"] * 2}, waiting={"default": ["quick"] * 10}, level=Level.LOW)

    urgent = candidates("long", 5, level=Level.URGENT)
    assert len(sent(urgent, [worker(1, 2)], full)) == 2


def test_short_jobs_are_sent_ahead_as_far_as_the_horizon() -> None:
    ahead = round(HORIZON_SECONDS / SECONDS["quick"])

    assert len(sent(candidates("quick", 100), [worker(1, 1)])) == 1 + ahead
    assert len(sent(candidates("quick", 100), [worker(1, 2)])) == 2 + 2 * ahead
    assert len(sent(candidates("edge", 100), [worker(1, 1)])) == 2


def test_the_shortest_jobs_cost_their_transport() -> None:
    room = round(HORIZON_SECONDS / FLOOR_SECONDS)

    assert len(sent(candidates("tiny", 1000), [worker(1, 1)])) == 1 + room


def test_nothing_is_sent_ahead_to_slots_that_long_jobs_hold() -> None:
    at_work = load(running={1: ["long", "unknown"]})

    assert sent(candidates("tiny", 10), [worker(1, 2)], at_work) == []


def test_a_long_job_in_the_last_slot_ends_the_sending_ahead() -> None:
    ready = [*candidates("long", 1), *candidates("quick", 10)]

    assert [job.type for job in sent(ready, [worker(1, 1)])] == ["long"]


def test_a_long_job_whose_turn_it_is_is_not_passed_over_for_its_length() -> None:
    ready = [*candidates("long", 2), *candidates("quick", 1)]

    chosen = sent(ready, [worker(1, 2)], load(running={1: ["quick"]}))

    assert [job.type for job in chosen] == ["long", "long"]


def test_nothing_is_sent_behind_a_long_job() -> None:
    waiting = load(running={1: ["quick"]}, waiting={"default": ["long"]})

    assert sent(candidates("tiny", 1), [worker(1, 1)], waiting) == []


def test_what_waits_already_counts_against_the_horizon() -> None:
    waiting = ["quick"] * 4

    chosen = sent(candidates("quick", 100), [worker(1, 1)], load(waiting={"default": waiting}))

    assert len(chosen) == 6 - len(waiting)


def test_a_slot_is_booked_only_for_a_queue_that_its_worker_consumes() -> None:
    workers = [worker(1, 1, "a", "b"), worker(2, 1, "b", "c")]

    assert len(sent(candidates("long", 10, "a"), workers)) == 1
    assert len(sent(candidates("long", 10, "b"), workers)) == 2
    both = [*candidates("long", 2, "a"), *candidates("long", 2, "c")]
    assert [job.queue for job in sent(both, workers)] == ["a", "c"]


def test_jobs_that_only_a_busy_worker_consumes_do_not_idle_the_others() -> None:
    workers = [worker(1, 2, "x", "y"), worker(2, 2, "x")]
    busy = load(running={1: ["long", "long"]})
    ready = [*candidates("long", 2, "y"), *candidates("long", 3, "x")]

    assert [job.queue for job in sent(ready, workers, busy)] == ["x", "x"]


def test_messages_that_only_a_busy_worker_consumes_take_no_room_from_the_others() -> None:
    workers = [worker(1, 2, "x", "y"), worker(2, 2, "x")]
    stuck = load(running={1: ["long", "long"]}, waiting={"y": ["long", "long"]})

    assert rooms(workers, stuck, expected) == {
        "x": Room(most=ANY, lowest=dict.fromkeys(EVERY_TYPE, Level.LOW))
    }
    assert len(sent(candidates("long", 3, "x"), workers, stuck)) == 2


def test_the_least_flexible_worker_is_booked_first() -> None:
    workers = [worker(1, 1, "x", "y"), worker(2, 1, "x")]
    ready = [*candidates("long", 1, "x"), *candidates("long", 1, "y")]

    assert [job.queue for job in sent(ready, workers)] == ["x", "y"]
    waiting = load(waiting={"x": ["long"]})
    assert [job.queue for job in sent(ready[1:], workers, waiting)] == ["y"]


def test_work_sent_ahead_uses_the_horizon_of_the_workers_that_consume_it() -> None:
    workers = [worker(1, 1, "x", "y"), worker(2, 1, "x")]
    held = load(running={1: ["long"], 2: ["quick"]})
    ready = [*candidates("quick", 20, "y"), *candidates("quick", 20, "x")]

    chosen = sent(ready, workers, held)

    assert [job.queue for job in chosen] == ["x"] * round(HORIZON_SECONDS / SECONDS["quick"])


def test_work_sent_ahead_fills_the_horizon_of_every_worker_that_consumes_it() -> None:
    workers = [worker(1, 1), worker(2, 1), worker(3, 2)]
    busy = {1: ["quick"], 2: ["quick"], 3: ["quick"] * 2}
    ahead = 4 * round(HORIZON_SECONDS / SECONDS["quick"])

    for waiting in (0, 3, 11):
        at_work = load(running=busy, waiting={"default": ["quick"] * waiting})
        assert len(sent(candidates("quick", 100), workers, at_work)) == ahead - waiting


def test_a_long_message_that_waits_for_a_slot_leaves_the_other_slots_their_horizon() -> None:
    at_work = load(running={1: ["quick"] * 3}, waiting={"default": ["long"]})
    ahead = 2 * round(HORIZON_SECONDS / SECONDS["quick"])

    assert len(sent(candidates("quick", 100), [worker(1, 3)], at_work)) == ahead


def test_the_horizon_of_the_flexible_worker_is_used_last() -> None:
    workers = [worker(1, 1, "x", "y"), worker(2, 1, "x")]
    busy = load(running={1: ["quick"], 2: ["quick"]})
    ready = [*candidates("edge", 1, "x"), *candidates("edge", 1, "y")]

    assert [job.queue for job in sent(ready, workers, busy)] == ["x", "y"]


def test_what_waits_is_booked_first_where_few_can_run_it() -> None:
    """As it was when it was sent: else the second worker would look as if it had room."""
    workers = [
        worker(1, 1, types=frozenset({"long", "edge", UNKNOWN})),
        worker(2, 1, types=frozenset({"long", "edge"})),
    ]
    busy = {1: ["edge"], 2: ["edge"]}
    for waiting in (["long", UNKNOWN], [UNKNOWN, "long"]):
        at_work = load(running=busy, waiting={"default": waiting})
        assert sent(candidates("long", 1), workers, at_work) == []


def test_a_slot_is_booked_only_for_a_type_that_its_worker_knows() -> None:
    workers = [
        worker(1, 1, types=frozenset({"long"})),
        worker(2, 1, types=frozenset({"long", UNKNOWN})),
    ]
    busy = load(running={2: ["long"]})

    assert sent(candidates(UNKNOWN, 1), workers, busy) == []
    assert len(sent(candidates("long", 1), workers, busy)) == 1


def test_a_waiting_message_of_a_type_that_nobody_knows_occupies_a_slot() -> None:
    workers = [worker(1, 2, types=frozenset({"long"}))]

    assert len(sent(candidates("long", 3), workers, load(waiting={"default": [UNKNOWN]}))) == 1


def test_a_pool_of_long_jobs_gets_exactly_its_free_slots() -> None:
    workers = [worker(1, 3), worker(2, 2), worker(3, 4)]
    busy = load(running={1: ["long"] * 2, 2: ["long"] * 2, 3: ["long"]}, waiting={"default": []})

    assert len(sent(candidates("long", 20), workers, busy)) == 4


def test_the_room_of_a_queue_is_bounded_however_many_slots_there_are() -> None:
    workers = [worker(number, 100) for number in range(1, 51)]

    assert rooms(workers, load(), expected)["default"].most == ROOM_LIMIT


def test_workers_that_share_nothing_have_windows_of_their_own() -> None:
    workers = [worker(1, 1, "a"), worker(2, 2, "b")]
    ready = [*candidates("long", 5, "a"), *candidates("long", 5, "b")]

    assert [job.queue for job in sent(ready, workers)] == ["a", "b", "b"]


kinds = st.sampled_from(["long", "unknown", "quick", "tiny", "odd", "edge"])
queue_names = st.sampled_from(["a", "b", "c"])
members = st.tuples(
    st.integers(0, 4), st.sets(queue_names, min_size=1), st.frozensets(kinds, min_size=3)
)
fleets = st.lists(members, max_size=4).map(
    lambda drawn: [
        worker(n, slots, *queues, types=types) for n, (slots, queues, types) in enumerate(drawn, 1)
    ]
)
loads = st.builds(
    load,
    st.dictionaries(st.integers(1, 4), st.lists(kinds, max_size=4)),
    st.dictionaries(queue_names, st.lists(kinds, max_size=6)),
)
backlogs = st.lists(st.tuples(queue_names, kinds), max_size=40).map(
    lambda drawn: [
        Candidate(id=UUID(int=n), queue=queue, type=kind, level=Level.NORMAL)
        for n, (queue, kind) in enumerate(drawn)
    ]
)


def is_long(job_type: str) -> bool:
    seconds = expected(job_type)
    return seconds is None or seconds > HORIZON_SECONDS


def able(queue: str, job_type: str, workers: list[LiveWorker]) -> list[LiveWorker]:
    return [each for each in workers if queue in each.queues and job_type in each.types]


def in_the_way(queue: str, job_type: str, workers: list[LiveWorker]) -> list[LiveWorker]:
    """Of a message that is there already: where nobody knows its type, anybody may take it."""
    return able(queue, job_type, workers) or [each for each in workers if queue in each.queues]


def free_slots(workers: list[LiveWorker], at_work: Load) -> list[LiveWorker]:
    """Each worker once for each of its slots that nothing runs in."""
    return [
        each
        for each in workers
        for _ in range(each.slots - len(at_work.running.get(each.incarnation, [])))
    ]


def without_long_ones(workers: list[LiveWorker], at_work: Load) -> list[LiveWorker]:
    """Each worker once for each of its slots that no long job runs in."""
    return [
        each
        for each in workers
        for _ in range(each.slots - sum(map(is_long, at_work.running.get(each.incarnation, []))))
    ]


def most_pairs(fits: list[list[int]]) -> int:
    """The size of the largest matching: each left one with one of those that it fits (Kuhn)."""
    partner: dict[int, int] = {}

    def place(left: int, seen: set[int]) -> bool:
        for right in fits[left]:
            if right not in seen:
                seen.add(right)
                if right not in partner or place(partner[right], seen):
                    partner[right] = left
                    return True
        return False

    return sum(place(left, set()) for left in range(len(fits)))


@given(ready=backlogs, workers=fleets, at_work=loads)
def test_every_long_job_sent_has_a_slot_of_its_own_that_no_other_long_one_holds(
    ready: list[Candidate], workers: list[LiveWorker], at_work: Load
) -> None:
    slots = without_long_ones(workers, at_work)
    long_jobs = [job for job in sent(ready, workers, at_work) if is_long(job.type)]

    fits = [
        [n for n, slot in enumerate(slots) if slot in able(job.queue, job.type, workers)]
        for job in long_jobs
    ]
    assert most_pairs(fits) == len(long_jobs)


@given(ready=backlogs, workers=fleets, at_work=loads)
def test_a_queue_gets_no_more_than_its_workers_have_slots_and_horizon_for(
    ready: list[Candidate], workers: list[LiveWorker], at_work: Load
) -> None:
    chosen = sent(ready, workers, at_work)

    for queue in {job.queue for job in ready}:
        consuming = [each for each in workers if queue in each.queues]
        free = len(free_slots(consuming, at_work))
        budget = len(without_long_ones(consuming, at_work))
        types = [job.type for job in chosen if job.queue == queue]
        work = sum(max(FLOOR_SECONDS, SECONDS[each]) for each in types if not is_long(each))
        begun = len(consuming)  # in each the last one begins within the horizon and ends beyond it
        assert len(types) <= free + budget * HORIZON_SECONDS / FLOOR_SECONDS
        assert work <= (free + budget + begun) * HORIZON_SECONDS + 1e-9


@given(ready=backlogs, workers=fleets, at_work=loads)
def test_no_slot_stays_unbooked_while_a_job_is_left_that_its_worker_could_run(
    ready: list[Candidate], workers: list[LiveWorker], at_work: Load
) -> None:
    chosen = sent(ready, workers, at_work)
    booked = [(job.queue, job.type) for job in chosen]
    booked += [(queue, kind) for (queue, _), types in at_work.waiting.items() for kind in types]

    left = [job for job in ready if job not in chosen]
    could = [each for job in left for each in able(job.queue, job.type, workers)]
    slots = [slot for slot in free_slots(workers, at_work) if slot in could]
    fits = [
        [n for n, (queue, kind) in enumerate(booked) if slot in in_the_way(queue, kind, workers)]
        for slot in slots
    ]
    assert most_pairs(fits) == len(slots)


@given(ready=backlogs, workers=fleets, at_work=loads)
def test_no_job_is_passed_over_for_its_length(
    ready: list[Candidate], workers: list[LiveWorker], at_work: Load
) -> None:
    chosen = {job.id for job in sent(ready, workers, at_work)}

    for n, refused in enumerate(ready):
        if refused.id in chosen:
            continue
        could = able(refused.queue, refused.type, workers)
        for later in ready[n + 1 :]:
            if later.id in chosen:
                others = [w for w in able(later.queue, later.type, workers) if w not in could]
                assert others, "only workers that had no room for the one before it"


@given(ready=backlogs, workers=fleets, at_work=loads)
def test_never_more_is_sent_than_free_slots_and_the_horizon_hold(
    ready: list[Candidate], workers: list[LiveWorker], at_work: Load
) -> None:
    chosen = sent(ready, workers, at_work)
    slots = sum(each.slots for each in workers)
    work = sum(max(FLOOR_SECONDS, SECONDS[job.type]) for job in chosen if not is_long(job.type))

    assert [job for job in ready if job in chosen] == chosen  # in order, each at most once
    assert sum(is_long(job.type) for job in chosen) <= slots
    # In each slot one message of any length, and short ones for as long as the horizon; the last
    # one of each worker begins within it.
    assert work <= (2 * slots + len(workers)) * HORIZON_SECONDS + 1e-9
    assert {job.queue for job in chosen} <= {queue for each in workers for queue in each.queues}


@given(ready=backlogs, workers=fleets, at_work=loads)
def test_the_room_asked_for_is_never_smaller_than_what_can_be_sent(
    ready: list[Candidate], workers: list[LiveWorker], at_work: Load
) -> None:
    room = rooms(workers, at_work, expected)

    for queue in {job.queue for job in ready}:
        alone = [job for job in ready if job.queue == queue]
        most = room[queue].most if queue in room else 0
        assert len(sent(alone, workers, at_work)) <= most


@given(workers=fleets, kind=kinds, queue=queue_names, waiting=st.lists(kinds, max_size=6))
def test_what_waits_takes_no_room_from_a_higher_level(
    workers: list[LiveWorker], kind: str, queue: str, waiting: list[str]
) -> None:
    urgent = candidates(kind, 10, queue, Level.URGENT)
    low = load(waiting={queue: waiting}, level=Level.LOW)

    assert sent(urgent, workers, low) == sent(urgent, workers)


@given(workers=fleets, kind=kinds, queue=queue_names, waiting=st.lists(kinds, max_size=6))
def test_what_waits_takes_as_much_from_a_lower_level_as_from_its_own(
    workers: list[LiveWorker], kind: str, queue: str, waiting: list[str]
) -> None:
    ready = candidates(kind, 10, queue, Level.LOW)
    low, urgent = (load(waiting={queue: waiting}, level=at) for at in (Level.LOW, Level.URGENT))

    assert sent(ready, workers, urgent) == sent(ready, workers, low)


def test_only_levels_with_room_for_a_type_are_worth_selecting() -> None:
    full = load(waiting={"default": ["long", "long"]}, level=Level.NORMAL)

    (room,) = rooms([worker(1, 1)], full, expected).values()
    assert set(room.lowest.values()) == {Level.HIGH}
    assert rooms([worker(1, 1)], load(running={1: ["long"]}), expected) == {}


def test_where_a_slot_is_busy_with_a_short_job_every_type_is_worth_selecting() -> None:
    (room,) = rooms([worker(1, 1)], load(running={1: ["quick"]}), expected).values()

    assert room.lowest == dict.fromkeys(EVERY_TYPE, Level.LOW)


def test_a_type_is_worth_selecting_only_where_a_worker_with_room_knows_it() -> None:
    workers = [
        worker(1, 1, types=frozenset({"long"})),
        worker(2, 1, "default", "mail", types=frozenset({"quick"})),
    ]
    found = rooms(workers, load(running={1: ["long"]}), expected)

    assert found["default"].lowest == found["mail"].lowest == {"quick": Level.LOW}


def test_a_type_that_nobody_knows_is_never_sent() -> None:
    knowing_long = [worker(1, 4, types=frozenset({"long"}))]

    assert sent(candidates("quick", 3), knowing_long) == []


@given(ready=backlogs, workers=fleets, at_work=loads)
def test_what_is_sent_was_worth_selecting(
    ready: list[Candidate], workers: list[LiveWorker], at_work: Load
) -> None:
    found = rooms(workers, at_work, expected)

    for job in sent(ready, workers, at_work):
        assert FLOORS[job.level] >= FLOORS[found[job.queue].lowest[job.type]]


@given(ready=backlogs, workers=fleets, at_work=loads)
def test_the_first_job_that_is_worth_selecting_is_sent(
    ready: list[Candidate], workers: list[LiveWorker], at_work: Load
) -> None:
    found = rooms(workers, at_work, expected)
    worth = [
        job
        for job in ready
        if job.queue in found
        and job.type in found[job.queue].lowest
        and FLOORS[job.level] >= FLOORS[found[job.queue].lowest[job.type]]
    ]

    assert sent(ready, workers, at_work)[:1] == worth[:1]
