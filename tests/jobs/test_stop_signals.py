"""A signal that ends a worker takes effect between two steps of its loop."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from types import FrameType

import pytest
from kombu.asynchronous import Hub

from jobs.worker.stop_signals import SOFT_STOPS, StopSignals
from tests.support.waiting import wait_for


class Worker:
    """Celery's handlers write here what they do, and so do the steps of the loop."""

    def __init__(self) -> None:
        self.story: list[str] = []
        self.hub = Hub()
        self.signals = StopSignals()
        self.is_amid_message = False

    def obey(self, number: int, frame: FrameType | None) -> None:
        self.story.append(f"obeys {signal.Signals(number).name}")

    def step(self, *numbers: int) -> None:
        self.story.append("a step begins")
        for number in numbers:
            os.kill(os.getpid(), number)
        self.story.append("a step ends")

    def turn(self, times: int = 2) -> None:
        """A turn that finds something to do does not wait; one that does not waits a second."""
        loop = self.hub.create_loop()
        for _ in range(times):
            next(loop)

    def has_obeyed(self) -> bool:
        self.turn(1)
        return self.story[-1] == "obeys SIGTERM"


@pytest.fixture
def worker() -> Iterator[Worker]:
    assert set(SOFT_STOPS) == {signal.SIGTERM, signal.SIGQUIT}  # else one would end this process
    before = {number: signal.getsignal(number) for number in SOFT_STOPS}
    worker = Worker()
    for number in SOFT_STOPS:
        signal.signal(number, worker.obey)
    worker.signals.take_over(
        announce=lambda: worker.story.append("announced"),
        hasten=lambda: worker.story.append("hastened"),
        must_wait=lambda: worker.is_amid_message,
    )
    yield worker
    for number, handler in before.items():
        signal.signal(number, handler)
    worker.hub.close()


@pytest.mark.parametrize("number", SOFT_STOPS)
def test_what_comes_within_a_step_is_announced_at_once_and_obeyed_after_it(
    worker: Worker, number: signal.Signals
) -> None:
    with worker.signals.between_steps(worker.hub):
        worker.hub.call_soon(worker.step, number)
        worker.turn()
        worker.story.append("the loop goes on")
    assert worker.story == [
        "a step begins", "announced", "a step ends", f"obeys {number.name}", "the loop goes on",
    ]  # fmt: skip


def test_a_second_one_within_the_same_step_cuts_the_time_short(worker: Worker) -> None:
    with worker.signals.between_steps(worker.hub):
        worker.hub.call_soon(worker.step, signal.SIGTERM, signal.SIGQUIT)
        worker.turn()
    assert worker.story == [
        "a step begins", "announced", "announced", "hastened", "a step ends", "obeys SIGTERM",
    ]  # fmt: skip


def test_a_large_message_is_written_to_its_end_over_several_steps(worker: Worker) -> None:
    worker.is_amid_message = True
    with worker.signals.between_steps(worker.hub):
        worker.hub.call_soon(worker.step, signal.SIGTERM)
        worker.turn(5)
        assert worker.story[-1] == "a step ends"
        worker.is_amid_message = False
        wait_for(worker.has_obeyed, seconds=10, what="it is obeyed")


def test_what_waits_for_a_large_message_is_obeyed_when_the_loop_is_left(worker: Worker) -> None:
    worker.is_amid_message = True
    with worker.signals.between_steps(worker.hub):
        worker.hub.call_soon(worker.step, signal.SIGTERM)
        worker.turn()
    assert worker.story[-2:] == ["a step ends", "obeys SIGTERM"]


def test_one_after_another_is_obeyed_each_time(worker: Worker) -> None:
    with worker.signals.between_steps(worker.hub):
        for _ in range(2):
            worker.hub.call_soon(worker.step, signal.SIGTERM)
            worker.turn()
    assert worker.story.count("obeys SIGTERM") == 2


def test_outside_the_loop_it_is_obeyed_at_once(worker: Worker) -> None:
    with worker.signals.between_steps(worker.hub):
        pass
    worker.step(signal.SIGTERM)
    assert worker.story == ["a step begins", "announced", "obeys SIGTERM", "a step ends"]


def test_one_in_a_step_that_fails_is_obeyed_when_the_loop_is_left(worker: Worker) -> None:
    def lost() -> None:
        with worker.signals.between_steps(worker.hub):
            worker.step(signal.SIGTERM)
            raise ConnectionError("the broker is away")

    with pytest.raises(ConnectionError, match="away"):
        lost()
    assert worker.story[-2:] == ["a step ends", "obeys SIGTERM"]


def test_the_next_loop_hears_too_though_the_hub_was_reset(worker: Worker) -> None:
    """As Celery does it when it has lost the broker."""
    with worker.signals.between_steps(worker.hub):
        worker.turn(1)
    worker.hub.reset()
    with worker.signals.between_steps(worker.hub):
        worker.hub.call_soon(worker.step, signal.SIGTERM)
        worker.turn()
        assert worker.story[-1] == "obeys SIGTERM"


def test_a_child_leaves_it_to_the_handler_that_was_there(worker: Worker) -> None:
    with worker.signals.between_steps(worker.hub):
        if not (child := os.fork()):
            worker.story.clear()
            worker.step(signal.SIGTERM)
            os._exit(worker.story != ["a step begins", "obeys SIGTERM", "a step ends"])
        assert os.waitpid(child, 0)[1] == 0
        worker.turn(1)
    assert worker.story == []
