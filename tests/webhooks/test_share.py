"""Endpoints that fail hold a part of the slots and no more."""

from __future__ import annotations

from contextlib import ExitStack
from random import Random

import pytest

from jobs import RateLimited
from webhooks.models import Endpoint
from webhooks.share import Share
from webhooks.turns import LONGEST_WAIT, SHORTEST_WAIT, Turns

GOOD, BAD = Endpoint(url="https://a/"), Endpoint(url="https://b/", consecutive_failures=1)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class InTheMiddle(Random):
    """No jitter."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def share(most: int, clock: Clock | None = None) -> Share:
    return Share(most, likely_seconds=10.0, monotonic=clock or Clock(), random=InTheMiddle())


def refused(by: Share) -> float:
    """For how long."""
    with pytest.raises(RateLimited) as refusal, by.of(BAD):
        pass
    return refusal.value.seconds


def test_those_that_fail_have_so_many_slots_and_no_more() -> None:
    some = share(2)
    with ExitStack() as held:
        held.enter_context(some.of(BAD))
        held.enter_context(some.of(BAD))
        assert refused(some) > 0
        for _ in range(5):
            held.enter_context(some.of(GOOD))
    with some.of(BAD):
        pass


def test_a_slot_is_free_again_whatever_happened_in_it() -> None:
    some = share(1)
    for _ in range(3):
        with pytest.raises(OSError), some.of(BAD):  # noqa: PT011 (any will do)
            raise OSError
    with some.of(BAD):
        pass


def test_those_that_found_no_room_come_one_after_the_other_as_there_is_room() -> None:
    some = share(2)
    with some.of(BAD), some.of(BAD):
        assert [refused(some) for _ in range(4)] == [5, 10, 15, 20]


def test_turns_that_nobody_waits_for_begin_anew() -> None:
    clock = Clock()
    some = share(2, clock)
    with some.of(BAD), some.of(BAD):
        refused(some)
        refused(some)
        clock.now += 6
        assert refused(some) == 9  # behind the one that is yet to come
        clock.now += 60
        assert refused(some) == 5


def test_turns_come_as_fast_as_requests_of_late_were_over() -> None:
    clock = Clock()
    some = share(1, clock)
    for _ in range(100):
        with some.of(BAD):
            clock.now += 3
    with some.of(BAD):
        assert refused(some) == pytest.approx(3, rel=0.01)


def test_no_turn_is_at_once_or_for_ever() -> None:
    turns = Turns(1, 0.001, Random(1))
    assert [turns.next(0) for _ in range(5)] == [SHORTEST_WAIT] * 5
    turns = Turns(1, 30, Random(1))
    waits = [turns.next(0) for _ in range(1000)]
    assert max(waits) <= LONGEST_WAIT
    assert turns.next(60) <= LONGEST_WAIT, "however many were refused before"


def test_turns_are_spread_a_little() -> None:
    waits = [Turns(4, 40, Random(seed)).next(0) for seed in range(50)]
    assert len(set(waits)) > 40
    assert all(9 <= wait <= 11 for wait in waits)


def test_many_that_wait_ask_about_as_often_as_there_is_room() -> None:
    """Three hundred that are silent, and room for four of them."""
    clock, most, lasts = Clock(), 4, 10.0
    turns = Turns(most, lasts, Random(7))
    waiting = [clock.now] * 300
    busy: list[float] = []
    asked = 0
    while clock.now < 1000 + 1200:
        clock.now = min(waiting)
        waiting.remove(clock.now)
        asked += 1
        busy = [end for end in busy if end > clock.now]
        if len(busy) < most:
            busy.append(clock.now + lasts)
            waiting.append(clock.now + lasts)  # and there is more to tell it
        else:
            waiting.append(clock.now + turns.next(clock.now))
    assert asked - 300 < 5 * 1200 * most / lasts
