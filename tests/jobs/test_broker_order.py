"""Levels strictly, and turns inside a level."""

from __future__ import annotations

from kombu.utils.scheduling import cycle_by_name

from config.celery import app
from jobs.broker import PLAIN_QUEUE, consumed_queues
from jobs.broker_order import LevelCycle

QUEUES = consumed_queues(["a", "b"])


def cycle(*queues: str) -> LevelCycle:
    made = LevelCycle()
    made.update(queues or QUEUES)
    return made


def order(asked: LevelCycle) -> list[str]:
    return list(asked.consume(99))


def test_the_broker_is_asked_in_this_order() -> None:
    assert cycle_by_name(app.conf.broker_transport_options["queue_order_strategy"]) is LevelCycle
    assert order(cycle()) == QUEUES


def test_the_queues_of_a_level_take_turns() -> None:
    asked, served = cycle(), []
    for _ in range(6):
        served.append(next(queue for queue in order(asked) if queue.endswith(".normal")))
        asked.rotate(served[-1])

    assert served == ["a.normal", "b.normal"] * 3


def test_who_gave_a_message_stays_before_every_lower_level() -> None:
    asked = cycle()
    for queue in QUEUES * 3:
        asked.rotate(queue)

        ranks = [one.rpartition(".")[2] for one in order(asked) if one != PLAIN_QUEUE]
        assert ranks == sorted(ranks, key=["urgent", "high", "normal", "low"].index)
        assert sorted(order(asked)) == sorted(QUEUES)


def test_a_queue_that_is_taken_later_is_asked_by_its_level() -> None:
    asked = cycle("a.urgent", "a.low", "celery", "b.urgent", "b.normal")

    assert order(asked) == ["a.urgent", "b.urgent", "celery", "b.normal", "a.low"]


def test_ordinary_tasks_take_turns_with_jobs_of_normal_level() -> None:
    asked = cycle("a.normal", PLAIN_QUEUE, "a.low")
    asked.rotate("a.normal")
    assert order(asked) == [PLAIN_QUEUE, "a.normal", "a.low"]
    asked.rotate(PLAIN_QUEUE)
    assert order(asked) == ["a.normal", PLAIN_QUEUE, "a.low"]


def test_a_queue_that_is_not_consumed_any_more_changes_nothing() -> None:
    asked = cycle()
    asked.rotate("gone.normal")

    assert order(asked) == QUEUES
