"""A look at another server keeps nobody waiting, and is shared."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from config.vitals.probe import Probe
from tests.support.waiting import wait_for


class Server:
    """Answers when it may."""

    def __init__(self, *, answers: bool = True) -> None:
        self.looks = 0
        self.may_answer = threading.Event()
        if answers:
            self.may_answer.set()

    def __call__(self) -> None:
        self.looks += 1
        self.may_answer.wait(60)


def test_a_server_that_answers_is_seen_with_the_time_it_took() -> None:
    sight = Probe("it", Server()).sight()
    assert sight.answers
    assert sight.seconds is not None


def test_a_server_that_fails_does_not_answer() -> None:
    def refuse() -> None:
        raise OSError("connection refused by db-7.internal")

    sight = Probe("it", refuse).sight()
    assert (sight.answers, sight.seconds) == (False, None)


def test_a_hundred_that_ask_at_once_share_one_look() -> None:
    server = Server(answers=False)
    probe = Probe("it", server, patience=60)
    with ThreadPoolExecutor(100) as pool:
        asked = [pool.submit(probe.sight) for _ in range(100)]
        wait_for(lambda: server.looks, seconds=60, what="somebody looked")
        server.may_answer.set()
        assert all(one.result().answers for one in asked)
    assert server.looks == 1


def test_an_answer_serves_for_a_while_and_is_then_looked_for_again() -> None:
    server = Server()
    for fresh, looks in ((3600.0, 1), (0.0, 3)):
        server.looks = 0
        probe = Probe("it", server, fresh=fresh)
        for _ in range(3):
            probe.sight()
        assert server.looks == looks


def test_who_waits_for_a_hanging_server_is_told_so_and_later_ones_at_once() -> None:
    server = Server(answers=False)
    probe = Probe("it", server, patience=0.1)
    try:
        assert not probe.sight().answers
        began_at = time.monotonic()
        assert not any(probe.sight().answers for _ in range(1000))
        assert time.monotonic() - began_at < 1000 * 0.1
        assert server.looks == 1
    finally:
        server.may_answer.set()


def test_a_server_that_comes_back_is_seen_again() -> None:
    server = Server(answers=False)
    probe = Probe("it", server, patience=0.1, fresh=0.0)
    assert not probe.sight().answers
    server.may_answer.set()
    wait_for(lambda: probe.sight().answers, seconds=60, what="it is seen again")
