"""Lost messages are found by two signs, and waiting ones are not taken for lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from jobs.dispatcher.lost import PATIENCE_SECONDS, Lane, LostMessages, Sent
from jobs.priorities import Level

START = datetime(2026, 1, 1, tzinfo=UTC)


def sent(number: int, *, at: float = 0.0, queue: str = "default", fence: int = 1) -> Sent:
    return Sent(
        id=UUID(int=number),
        fence=fence,
        queue=queue,
        type="t",
        level=Level.NORMAL,
        sent_at=START + timedelta(seconds=at),
    )


def never(lane: Lane) -> bool:
    return False


def always(lane: Lane) -> bool:
    return True


def test_a_message_that_waits_its_turn_is_not_lost() -> None:
    lost, waiting = LostMessages(), [sent(1), sent(2, at=1)]

    assert all(lost.look(waiting, now=t, is_empty=never) == [] for t in range(60))


def test_a_message_is_lost_once_a_later_one_of_its_lane_was_claimed_a_while_ago() -> None:
    lost, first, later = LostMessages(), sent(1), sent(2, at=1)
    lost.look([first, later], now=1, is_empty=never)

    assert lost.look([first], now=2, is_empty=never) == []
    assert lost.look([first], now=2 + PATIENCE_SECONDS - 0.1, is_empty=never) == []
    assert lost.look([first], now=2 + PATIENCE_SECONDS, is_empty=never) == [first]


def test_a_claim_says_nothing_of_messages_that_were_sent_later() -> None:
    lost, first, later = LostMessages(), sent(1), sent(2, at=1)
    lost.look([first, later], now=1, is_empty=never)

    assert all(lost.look([later], now=t, is_empty=never) == [] for t in range(2, 20))


def test_messages_of_one_moment_do_not_overtake_each_other() -> None:
    lost, first, second = LostMessages(), sent(1), sent(2)
    lost.look([first, second], now=1, is_empty=never)

    assert all(lost.look([second], now=t, is_empty=never) == [] for t in range(2, 20))


def test_a_claim_in_another_lane_says_nothing() -> None:
    lost, first, other = LostMessages(), sent(1), sent(2, at=1, queue="mail")
    lost.look([first, other], now=1, is_empty=never)

    assert all(lost.look([first], now=t, is_empty=never) == [] for t in range(2, 20))


def test_a_message_is_lost_when_its_lane_stays_empty() -> None:
    lost, message = LostMessages(), sent(1)

    assert lost.look([message], now=0, is_empty=always) == []  # just seen for the first time
    assert lost.look([message], now=1, is_empty=always) == []
    assert lost.look([message], now=1 + PATIENCE_SECONDS - 0.1, is_empty=always) == []
    assert lost.look([message], now=1 + PATIENCE_SECONDS, is_empty=always) == [message]


def test_a_lane_that_was_not_empty_in_between_starts_anew() -> None:
    lost, message = LostMessages(), sent(1)
    emptiness = [True, True, True, False, True, True, True]

    for now, empty in enumerate(emptiness):
        assert lost.look([message], now=now, is_empty=always if empty else never) == []


def test_a_message_sent_after_the_lane_was_seen_empty_is_not_judged_by_that() -> None:
    lost, old, new = LostMessages(), sent(1), sent(2, at=2)
    lost.look([old], now=0, is_empty=always)
    lost.look([old], now=1, is_empty=always)
    lost.look([old, new], now=2, is_empty=always)

    assert lost.look([old, new], now=1 + PATIENCE_SECONDS, is_empty=always) == [old]


def test_only_lanes_with_a_message_known_from_before_are_asked() -> None:
    lost, asked = LostMessages(), list[Lane]()

    def is_empty(lane: Lane) -> bool:
        asked.append(lane)
        return False

    lost.look([sent(1)], now=0, is_empty=is_empty)
    assert asked == []
    lost.look([sent(1), sent(2, queue="mail")], now=1, is_empty=is_empty)
    assert asked == [("default", Level.NORMAL)]


def test_a_message_sent_again_is_another_message() -> None:
    lost, first = LostMessages(), sent(1)
    lost.look([first], now=0, is_empty=always)
    lost.look([first], now=1, is_empty=always)

    assert lost.look([sent(1, at=3, fence=3)], now=4, is_empty=always) == []


class Broker:
    """Lists that are first in, first out, and workers that fetch from them and claim."""

    def __init__(self, random: Random, *, pace: float = 0.3) -> None:
        self.random = random
        self.pace = pace
        self.lanes: dict[Lane, list[Sent]] = {}
        self.on_their_way: dict[UUID, Sent] = {}
        self.fetched: list[tuple[float, Sent]] = []  # claimed at that time
        self.numbers = 0

    def publish(self, now: float, *, lose: bool = False) -> Sent:
        self.numbers += 1
        queue = self.random.choice(["default", "mail"])
        message = sent(self.numbers, at=now, queue=queue)
        self.on_their_way[message.id] = message
        if not lose:
            self.lanes.setdefault(message.lane, []).append(message)
        return message

    def work(self, now: float) -> None:
        """A fetched message is claimed within a second: it was prefetched to a free child."""
        self.fetched.sort(key=lambda entry: entry[0])
        while self.fetched and self.fetched[0][0] <= now:
            del self.on_their_way[self.fetched.pop(0)[1].id]
        for lane in self.lanes.values():
            while lane and self.random.random() < self.pace:
                self.fetched.append((now + self.random.uniform(0, 1), lane.pop(0)))

    def is_empty(self, lane: Lane) -> bool:
        return not self.lanes.get(lane)


@pytest.mark.parametrize("seed", range(5))
def test_in_a_long_run_in_which_nothing_is_lost_nothing_is_found_lost(seed: int) -> None:
    random = Random(seed)
    broker, lost = Broker(random), LostMessages()

    for tick in range(3000):
        now = tick * 0.5
        for _ in range(random.choice([0, 0, 0, 1, 1, 5])):
            broker.publish(now)
        broker.work(now)
        if random.random() < 0.5:
            assert lost.look(broker.on_their_way.values(), now=now, is_empty=broker.is_empty) == []


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("traffic", [0.0, 0.05, 1.0])
def test_every_lost_message_is_found_within_twice_the_patience(seed: int, traffic: float) -> None:
    random = Random(seed)
    broker, lost = Broker(random, pace=1.0), LostMessages()
    missing: dict[UUID, float] = {}

    for tick in range(2000):
        now = tick * 0.5
        if random.random() < traffic:
            broker.publish(now)
        if tick % 40 == 0:
            missing[broker.publish(now, lose=True).id] = now
        broker.work(now)
        found = lost.look(broker.on_their_way.values(), now=now, is_empty=broker.is_empty)
        for message in found:
            missing.pop(message.id, None)
            del broker.on_their_way[message.id]
        # Beside it a second until the message behind it is claimed, and one of two looks.
        assert all(now - since <= 2 * PATIENCE_SECONDS + 2 for since in missing.values())
