"""Whose job is next: levels, queues, tenants, each in its turn."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, count
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from jobs.dispatcher.fairness import Fairness
from jobs.dispatcher.window import Candidate
from jobs.priorities import FLOORS, Level, level_of

NUMBERS = count(1)
TENANTS = {1: 8, 2: 4, 3: 2, 4: 1}  # tenant → weight, as the plans have them
EVERY: Callable[[Candidate], bool] = lambda job: True  # noqa: E731 (a value for `take`)


def job(tenant: int = 1, queue: str = "default", *, priority: int = 50) -> Candidate:
    seq = next(NUMBERS)
    return Candidate(
        id=UUID(int=seq), queue=queue, type="t", level=level_of(priority), tenant=tenant,
        priority=priority, seq=seq,
    )  # fmt: skip


def first(number: int) -> Callable[[Candidate], bool]:
    """Takes so many, as a window does that has room for no more."""
    left = iter(range(number))
    return lambda job: next(left, None) is not None


class Backlog:
    """Tenants who always have jobs, and how many of each were started so far."""

    def __init__(self, weights: Mapping[int, int] = TENANTS) -> None:
        self.weights = weights
        self.fairness = Fairness()
        self.order: list[int] = []

    def round(self, room: int, tenants: Iterable[int] | None = None) -> list[int]:
        """One tick with so much room; whose jobs it chose, in order."""
        waiting = [
            job(tenant) for tenant in (tenants or self.weights) for _ in range(room)
        ]  # as many as could be needed
        chosen = self.fairness.choose(
            waiting, first(room), queue_weights={}, tenant_weights=self.weights
        )
        self.order += (now := [one.tenant for one in chosen])
        return now


def unfair(order: list[int], weights: Mapping[int, int]) -> list[str]:
    """Moments at which two were more than one turn of each apart, by the theorem of the paper."""
    starts: Counter[int] = Counter()
    found = []
    for number, tenant in enumerate(order):
        starts[tenant] += 1
        for one, other in combinations(weights, 2):
            ahead = Fraction(starts[one], weights[one]) - Fraction(starts[other], weights[other])
            if abs(ahead) > Fraction(1, weights[one]) + Fraction(1, weights[other]):
                found.append(f"after {number + 1} starts: {dict(starts)}")
    return found


@given(rooms=st.lists(st.integers(1, 12), min_size=1, max_size=30))
def test_tenants_start_in_proportion_to_their_weights_within_one_turn(rooms: list[int]) -> None:
    backlog = Backlog()

    for room in rooms:
        assert len(backlog.round(room)) == room

    assert unfair(backlog.order, TENANTS) == []


@given(
    weights=st.dictionaries(st.integers(1, 9), st.integers(1, 100), min_size=2, max_size=6),
    rooms=st.lists(st.integers(1, 40), min_size=1, max_size=12),
)
def test_any_weights_are_kept_within_one_turn(weights: dict[int, int], rooms: list[int]) -> None:
    backlog = Backlog(weights)

    for room in rooms:
        backlog.round(room)

    assert unfair(backlog.order, weights) == []


def test_fifteen_starts_of_the_four_plans_are_eight_four_two_and_one() -> None:
    backlog = Backlog()

    for _ in range(60):
        backlog.round(5)

    assert Counter(backlog.order) == {1: 160, 2: 80, 3: 40, 4: 20}


@given(flood=st.lists(st.integers(1, 50), max_size=40), heavy=st.integers(1, 100))
def test_a_newcomer_is_next_after_at_most_one_start_of_each_other(
    flood: list[int], heavy: int
) -> None:
    weights = {1: heavy, 2: 3, 3: 1}
    backlog = Backlog(weights)
    for room in flood:
        backlog.round(room, tenants=[1, 2])

    order = backlog.round(20)

    assert max(Counter(order[: order.index(3)]).values(), default=0) <= 1


@given(away=st.lists(st.integers(1, 30), min_size=1, max_size=40))
def test_nobody_saves_turns_while_having_nothing_to_send(away: list[int]) -> None:
    weights = {1: 2, 2: 2}
    backlog = Backlog(weights)
    backlog.round(8)
    for room in away:
        backlog.round(room, tenants=[1])
    backlog.order.clear()

    for _ in range(10):
        backlog.round(4)

    assert unfair(backlog.order, weights) == []


@given(
    refused=st.sets(st.integers(0, 19)),
    flood=st.lists(st.integers(1, 9), max_size=5),
)
def test_jobs_that_are_refused_cost_their_tenant_no_turn(
    refused: set[int], flood: list[int]
) -> None:
    backlog = Backlog({1: 1, 2: 1})
    for room_then in flood:
        backlog.round(room_then)
    mine, others = [job(1) for _ in range(40)], [job(2) for _ in range(40)]
    held = {mine[n].id for n in refused}
    room = first(20)

    chosen = backlog.fairness.choose(
        mine + others, lambda one: one.id not in held and room(one),
        queue_weights={}, tenant_weights={},
    )  # fmt: skip

    number = Counter(one.tenant for one in chosen)
    assert abs(number[1] - number[2]) <= 2
    assert [one for one in chosen if one.tenant == 1] == [
        one for one in mine if one.id not in held
    ][: number[1]]


def test_a_tenant_whose_jobs_are_all_refused_neither_pays_nor_saves() -> None:
    backlog = Backlog({1: 1, 2: 1})
    for _ in range(50):
        backlog.fairness.choose(
            [job(1), job(2), job(2)], lambda one: one.tenant == 2,
            queue_weights={}, tenant_weights={},
        )  # fmt: skip

    assert abs(Counter(backlog.round(10))[1] - 5) <= 1


@given(rooms=st.lists(st.integers(1, 12), min_size=1, max_size=30))
def test_queues_share_by_their_weights_whatever_their_tenants_are(rooms: list[int]) -> None:
    weights = {"one": 3, "two": 1}
    fairness, order = Fairness(), []
    for room in rooms:
        waiting = [job(1, "one") for _ in range(room)]
        waiting += [job(tenant, "two") for tenant in (1, 2, 3) for _ in range(room)]
        chosen = fairness.choose(waiting, first(room), queue_weights=weights, tenant_weights={})
        order += [1 if one.queue == "one" else 2 for one in chosen]

    assert unfair(order, {1: 3, 2: 1}) == []


def test_a_queue_without_room_leaves_its_turns_to_the_others() -> None:
    waiting = [job(1, queue) for queue in ("one", "two") for _ in range(5)]

    chosen = Fairness().choose(
        waiting, lambda one: one.queue == "two", queue_weights={"one": 100}, tenant_weights={}
    )

    assert [one.queue for one in chosen] == ["two"] * 5


def test_inside_a_tenant_the_higher_priority_is_first_and_of_one_the_older() -> None:
    jobs = [job(priority=priority) for priority in (40, 60, 50, 60, 40)]

    chosen = Fairness().choose(jobs[::-1], EVERY, queue_weights={}, tenant_weights={})

    assert chosen == [jobs[n] for n in (1, 3, 2, 0, 4)]


# --- against a model that looks at everything before each start -----------------------------

Waiting = dict[Level, dict[str, dict[int, list[Candidate]]]]


@dataclass
class Line:
    """Those who share something, each with what it has had; `now` as the paper calls it v."""

    had: dict[Any, Fraction] = field(default_factory=dict)
    floor: Fraction = Fraction(0)
    now: Fraction = Fraction(0)

    def at(self, who: Any) -> Fraction:
        return max(self.floor, self.had.get(who, Fraction(0)))

    def start(self, who: Any, weight: int) -> None:
        self.now = max(self.now, self.at(who))
        self.had[who] = self.at(who) + Fraction(1, weight)


class Model:
    """The same rules, without heaps: for each start, every waiting job is compared anew."""

    def __init__(self) -> None:
        self._lines: dict[Any, Line] = defaultdict(Line)

    def choose(
        self, jobs: list[Candidate], room: dict[str, int], weights: Mapping[Any, int]
    ) -> list[Candidate]:
        chosen: list[Candidate] = []
        for level in Level:
            waiting = [one for one in jobs if one.level == level]
            for name in {level, *((level, one.queue) for one in waiting)}:
                if waiting:
                    self._lines[name].floor = self._lines[name].now
            while allowed := [one for one in waiting if room[one.type] > 0]:
                best = min(allowed, key=self._rank)
                room[best.type] -= 1
                waiting.remove(best)
                chosen.append(best)
                self._lines[level].start(best.queue, weights[best.queue])
                self._lines[level, best.queue].start(best.tenant, weights[best.tenant])
        return chosen

    def _rank(self, one: Candidate) -> Any:
        """As if nobody were told in advance which jobs will be refused."""
        queue, tenant = self._lines[one.level], self._lines[one.level, one.queue]
        return (queue.at(one.queue), one.queue, tenant.at(one.tenant), -one.priority, one.seq)


WEIGHTS: dict[Any, int] = {"one": 1, "two": 2, "three": 4, 1: 1, 2: 2, 3: 4, 4: 8}
kinds = st.tuples(
    st.integers(1, 4),
    st.sampled_from(["one", "two", "three"]),
    st.sampled_from([0, 29, 30, 50, 69, 70, 95, 100]),
)
rounds = st.lists(st.tuples(st.lists(kinds, max_size=25), st.integers(0, 15)), max_size=6)


@given(rounds)
def test_every_choice_is_that_of_the_model(
    rounds: list[tuple[list[tuple[int, str, int]], int]],
) -> None:
    fairness, model = Fairness(), Model()
    for kinds, room in rounds:
        jobs = [job(tenant, queue, priority=priority) for tenant, queue, priority in kinds]

        chosen = fairness.choose(jobs, first(room), queue_weights=WEIGHTS, tenant_weights=WEIGHTS)

        assert chosen == model.choose(jobs, {"t": room}, WEIGHTS)


@given(rounds)
def test_levels_are_strict(rounds: list[tuple[list[tuple[int, str, int]], int]]) -> None:
    fairness = Fairness()
    for kinds, room in rounds:
        jobs = [job(tenant, queue, priority=priority) for tenant, queue, priority in kinds]

        chosen = fairness.choose(jobs, first(room), queue_weights={}, tenant_weights={})

        levels = sorted((FLOORS[one.level] for one in jobs), reverse=True)
        assert [FLOORS[one.level] for one in chosen] == levels[:room]
