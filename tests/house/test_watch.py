"""A program that ends by itself is noticed; one that keeps ending is reported, and not given up."""

import pytest

from config.supervision.supervisor import ProgramState
from config.supervision.watch import Notice, Watch


def worker(started: int, state: str = "RUNNING") -> list[ProgramState]:
    return [
        ProgramState(name="worker", group="platform", state=state, started=started, exit_status=1)
    ]


def test_a_first_start_is_no_news() -> None:
    watch = Watch()
    assert watch.observe(worker(started=0, state="STOPPED"), now=0) == []
    assert watch.observe(worker(started=100), now=1) == []
    assert watch.observe(worker(started=100), now=2) == []


def test_a_single_end_is_mentioned_once() -> None:
    watch = Watch()
    watch.observe(worker(started=100), now=0)
    once = Notice(program="worker", times=1, often=False)
    assert watch.observe(worker(started=105), now=5) == [once]
    assert watch.observe(worker(started=105), now=6) == []


def test_a_program_that_keeps_ending_is_reported_once_a_minute() -> None:
    watch = Watch()
    seen = [watch.observe(worker(started=now), now=now) for now in range(1, 75, 2)]
    often = [notice for notices in seen for notice in notices if notice.often]
    assert [notice.times for notice in often] == [3, 31]


def test_ends_that_lie_far_apart_do_not_add_up() -> None:
    watch = Watch()
    seen = [watch.observe(worker(started=1 + now), now=now) for now in range(0, 600, 61)]
    assert not any(notice.often for notices in seen for notice in notices)


@pytest.mark.parametrize(("now", "again"), [(9.0, False), (10.0, True)])
def test_a_program_that_was_given_up_is_started_again_after_a_pause(
    now: float, again: bool
) -> None:
    watch = Watch()
    given_up = worker(started=100, state="FATAL")
    assert watch.to_start_again(given_up, now=0) == []
    assert watch.to_start_again(given_up, now=now) == (given_up if again else [])
