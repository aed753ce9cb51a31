"""Names are asked for within bounds of time and of threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence

import pytest

from jobs.egress import Failure, RefusedURL, Request, check_url, checking, send
from jobs.egress import names as naming
from jobs.egress.bounds import Bounds
from jobs.egress.names import NameNotFound, NameTimedOut, addresses_of
from jobs.egress.seats import Seats
from tests.support.waiting import wait_for


class Hanging:
    """A resolver that answers nobody until it is let go, but of `good.example` at once."""

    def __init__(self) -> None:
        self.asked = 0
        self.over = threading.Event()

    def __call__(self, name: str) -> Sequence[str]:
        self.asked += 1
        if name != "good.example":
            self.over.wait(60)
        return ["127.0.0.1"]


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hanging]:
    hanging = Hanging()
    monkeypatch.setattr(naming, "resolver", hanging)
    yield hanging
    hanging.over.set()
    wait_for(lambda: not asking(), seconds=30, what="the threads of names end")


def asking() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name.startswith("name-")]


def test_a_resolver_that_hangs_holds_no_call(hanging: Hanging) -> None:
    answer = send(Request(url="http://slow.example/", timeout_seconds=0.2))

    assert answer.error == Failure.NAME_TIMED_OUT
    assert answer.duration_seconds >= 0.2
    assert not hanging.over.is_set()


def test_questions_that_nobody_answers_do_not_pile_up(
    hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(naming, "_room", Seats(3, 3))
    for count in range(10):
        with pytest.raises(NameTimedOut):
            addresses_of(f"name{count}.example", Bounds(0.05))
    assert hanging.asked == len(asking()) == 3

    hanging.over.set()

    assert addresses_of("late.example", Bounds(60)) == ("127.0.0.1",)


@pytest.fixture
def few_seats(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many for one as for all would be the whole room taken by seven that hang."""
    assert 0 < naming._MOST_OF_ONE <= naming._MOST_AT_ONCE // 8
    monkeypatch.setattr(naming, "_room", Seats(6, 2))


@pytest.mark.usefixtures("few_seats")
def test_one_whose_names_hang_leaves_room_for_the_others(hanging: Hanging) -> None:
    for count in range(7):
        url = f"http://n{count}.evil.example/"
        answer = send(Request(url=url, party="evil", timeout_seconds=0.2))
        assert answer.error == Failure.NAME_TIMED_OUT
    assert hanging.asked == len(asking()) == 2

    assert addresses_of("good.example", Bounds(60), "good") == ("127.0.0.1",)
    assert addresses_of("good.example", Bounds(60)) == ("127.0.0.1",)
    with pytest.raises(NameTimedOut):
        addresses_of("good.example", Bounds(0.2), "evil")


@pytest.mark.usefixtures("few_seats")
def test_who_has_all_of_his_seats_waits_for_the_next(hanging: Hanging) -> None:
    for count in range(2):
        with pytest.raises(NameTimedOut):
            addresses_of(f"n{count}.evil.example", Bounds(0.2), "evil")
    threading.Timer(0.1, hanging.over.set).start()

    assert addresses_of("good.example", Bounds(60), "evil") == ("127.0.0.1",)


@pytest.mark.usefixtures("few_seats")
def test_at_save_names_that_hang_leave_room_for_names_elsewhere(
    hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_CHECK_SECONDS", 0.2)
    for count in range(7):
        check_url(f"http://n{count}.evil.test/")
    monkeypatch.setattr(checking, "_CHECK_SECONDS", 20.0)  # less than one hangs

    with pytest.raises(RefusedURL):  # it was asked for, and leads inside
        check_url("http://good.example/")


def test_seats_are_kept_for_nobody_who_has_none() -> None:
    seats = Seats(3, 2)
    for count in range(100):
        assert seats.take(f"party {count}", seconds=0)
        seats.give_back(f"party {count}")
    assert not seats._taken

    assert [seats.take("a", seconds=0) for _ in range(3)] == [True, True, False]
    assert [seats.take(party, seconds=0) for party in ("b", "c", "")] == [True, False, False]


@pytest.mark.parametrize("error", [OSError("none"), UnicodeError("label too long")])
def test_a_resolver_that_fails_knows_no_address(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(name: str) -> Sequence[str]:
        raise error

    monkeypatch.setattr(naming, "resolver", failing)
    for _ in range(100):  # more than there is room for, were it not given back
        with pytest.raises(NameNotFound):
            addresses_of("a.example", Bounds(60))


def test_where_no_thread_can_be_had_the_room_is_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(naming, "_room", Seats(1, 1))
    monkeypatch.setattr(naming, "resolver", lambda name: ["127.0.0.1"])
    with monkeypatch.context() as crowded:
        crowded.setattr(threading.Thread, "start", full)
        with pytest.raises(NameTimedOut):
            addresses_of("a.example", Bounds(60))

    assert addresses_of("a.example", Bounds(60)) == ("127.0.0.1",)


def test_each_address_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "resolver", lambda name: ["::1", "127.0.0.1", "::1"])

    assert addresses_of("a.example", Bounds(60)) == ("::1", "127.0.0.1")


def test_who_asks_hears_ticks_meanwhile_and_can_leave(hanging: Hanging) -> None:
    def leave() -> None:
        if hanging.asked:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        addresses_of("slow.example", Bounds(60, tick=leave))


def test_the_system_knows_this_machine() -> None:
    assert set(addresses_of("localhost", Bounds(60))) <= {"127.0.0.1", "::1"}


def test_a_child_process_has_room_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "_room", Seats(1, 1))
    monkeypatch.setattr(naming, "resolver", lambda name: ["127.0.0.1"])
    assert naming._room.take("", seconds=0)
    child = os.fork()
    if child == 0:
        found = addresses_of("a.example", Bounds(30))
        os._exit(0 if found == ("127.0.0.1",) else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
