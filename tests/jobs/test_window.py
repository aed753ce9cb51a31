"""How much is sent ahead: free slots to anybody, the rest to short jobs alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from jobs.dispatcher.window import (
    FLOOR_SECONDS,
    HORIZON_SECONDS,
    Candidate,
    LiveWorker,
    Load,
    choose,
    rooms,
)

SECONDS = {"long": 60.0, "quick": 0.05, "tiny": 0.0001, "edge": HORIZON_SECONDS}
expected: Callable[[str], float | None] = SECONDS.get  # "unknown" has none


def worker(number: int, slots: int, *queues: str) -> LiveWorker:
    return LiveWorker(
        incarnation=UUID(int=number),
        queues=frozenset(queues or ("default",)),
        types=frozenset({*SECONDS, "unknown"}),
        slots=slots,
    )


def candidates(job_type: str, count: int, queue: str = "default") -> list[Candidate]:
    return [Candidate(id=UUID(int=n), queue=queue, type=job_type) for n in range(count)]


def load(
    running: dict[int, list[str]] | None = None, waiting: dict[str, list[str]] | None = None
) -> Load:
    return Load(
        running={UUID(int=number): types for number, types in (running or {}).items()},
        waiting=waiting or {},
    )


def sent(
    ready: Iterable[Candidate], workers: list[LiveWorker], at_work: Load | None = None
) -> list[Candidate]:
    return choose(ready, workers, at_work or load(), expected)


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


def test_a_long_job_never_waits_behind_another_job() -> None:
    for occupant in ("long", "unknown", "quick", "tiny"):
        assert sent(candidates("long", 3), [worker(1, 1)], load(running={1: [occupant]})) == []


def test_short_jobs_are_sent_ahead_as_far_as_the_horizon() -> None:
    ahead = round(HORIZON_SECONDS / SECONDS["quick"])

    assert len(sent(candidates("quick", 100), [worker(1, 1)])) == 1 + ahead
    assert len(sent(candidates("quick", 100), [worker(1, 2)])) == 2 + 2 * ahead
    assert len(sent(candidates("edge", 100), [worker(1, 1)])) == 2


def test_the_shortest_jobs_cost_their_transport() -> None:
    room = round(HORIZON_SECONDS / FLOOR_SECONDS)

    assert len(sent(candidates("tiny", 1000), [worker(1, 1)])) in (room, 1 + room)  # floats


def test_nothing_is_sent_ahead_to_slots_that_long_jobs_hold() -> None:
    at_work = load(running={1: ["long", "unknown"]})

    assert sent(candidates("tiny", 10), [worker(1, 2)], at_work) == []


def test_a_long_job_in_the_last_slot_ends_the_sending_ahead() -> None:
    ready = [*candidates("long", 1), *candidates("quick", 10)]

    assert [job.type for job in sent(ready, [worker(1, 1)])] == ["long"]


def test_a_long_job_that_finds_no_slot_does_not_hold_up_short_ones() -> None:
    ready = [*candidates("long", 2), *candidates("quick", 1)]

    chosen = sent(ready, [worker(1, 2)], load(running={1: ["quick"]}))

    assert [job.type for job in chosen] == ["long", "quick"]


def test_what_waits_already_counts_against_the_horizon() -> None:
    waiting = ["quick"] * 4

    chosen = sent(candidates("quick", 100), [worker(1, 1)], load(waiting={"default": waiting}))

    assert len(chosen) == 6 - len(waiting)


def test_workers_that_share_a_queue_share_their_slots() -> None:
    workers = [worker(1, 1, "a", "b"), worker(2, 1, "b", "c")]

    assert len(sent(candidates("long", 10, "a"), workers)) == 2
    both = [*candidates("long", 2, "a"), *candidates("long", 2, "c")]
    assert [job.queue for job in sent(both, workers)] == ["a", "a"]


def test_workers_joined_by_a_later_one_share_their_slots() -> None:
    workers = [worker(1, 1, "a"), worker(2, 1, "b"), worker(3, 1, "a", "b")]

    assert len(sent([*candidates("long", 9, "a")], workers)) == 3


def test_workers_that_share_nothing_have_windows_of_their_own() -> None:
    workers = [worker(1, 1, "a"), worker(2, 2, "b")]
    ready = [*candidates("long", 5, "a"), *candidates("long", 5, "b")]

    assert [job.queue for job in sent(ready, workers)] == ["a", "b", "b"]


kinds = st.sampled_from(["long", "unknown", "quick", "tiny", "edge"])
queue_names = st.sampled_from(["a", "b", "c"])
fleets = st.lists(st.tuples(st.integers(0, 4), st.sets(queue_names, min_size=1)), max_size=4).map(
    lambda drawn: [worker(n, slots, *queues) for n, (slots, queues) in enumerate(drawn, 1)]
)
loads = st.builds(
    load,
    st.dictionaries(st.integers(1, 4), st.lists(kinds, max_size=4)),
    st.dictionaries(queue_names, st.lists(kinds, max_size=6)),
)
backlogs = st.lists(st.tuples(queue_names, kinds), max_size=40).map(
    lambda drawn: [
        Candidate(id=UUID(int=n), queue=queue, type=kind) for n, (queue, kind) in enumerate(drawn)
    ]
)


def is_long(job_type: str) -> bool:
    seconds = expected(job_type)
    return seconds is None or seconds > HORIZON_SECONDS


@given(ready=backlogs, workers=fleets, at_work=loads)
def test_never_more_is_sent_than_free_slots_and_the_horizon_hold(
    ready: list[Candidate], workers: list[LiveWorker], at_work: Load
) -> None:
    chosen = sent(ready, workers, at_work)
    slots = sum(each.slots for each in workers)
    work = sum(max(FLOOR_SECONDS, SECONDS[job.type]) for job in chosen if not is_long(job.type))

    assert [job for job in ready if job in chosen] == chosen  # in order, each at most once
    assert sum(is_long(job.type) for job in chosen) <= slots
    # In each slot one message of any length, and short ones for as long as the horizon.
    assert work <= 2 * slots * HORIZON_SECONDS + 1e-9
    assert {job.queue for job in chosen} <= {queue for each in workers for queue in each.queues}


@given(ready=backlogs, workers=fleets, at_work=loads)
def test_the_room_asked_for_is_never_smaller_than_what_can_be_sent(
    ready: list[Candidate], workers: list[LiveWorker], at_work: Load
) -> None:
    room = rooms(workers, at_work, expected)

    for queue, wanted in room.items():
        alone = [job for job in ready if job.queue == queue]
        assert len(sent(alone, workers, at_work)) <= wanted
