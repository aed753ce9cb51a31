"""An answer that is read while it comes."""

from __future__ import annotations

import pytest

from jobs.egress import BrokenOff, Failure, Request, stream
from tests.support.answers import dripping_body, endless, raw, redirect, silent, status
from tests.support.receiver import Answer, Exchange, Receiver
from tests.support.waiting import wait_for

ENOUGH = 3.0  # for a connection and the head of an answer, on a busy machine


def test_the_pieces_come_as_they_are_sent(receiver: Receiver) -> None:
    read: list[bytes] = []

    def one_by_one(exchange: Exchange) -> None:
        exchange.head(200, {"X-A": "b"})
        for piece in (b"first\nsec", b"ond\n\nlast"):
            exchange.send(piece)
            while exchange.pause(0.01) and len(b"\n".join(read)) < piece.find(b"\n"):
                pass

    receiver.answers(one_by_one)
    with stream(Request(url=receiver.url, timeout_seconds=60)) as answer:
        assert (answer.status, answer.headers["x-a"]) == (200, "b")
        read.extend(answer.lines())

    assert read == [b"first", b"second", b"", b"last"]


@pytest.mark.parametrize(
    ("told", "failure", "had_answer"),
    [
        (silent, Failure.TIMED_OUT, False),
        (dripping_body, Failure.TIMED_OUT, True),
        (endless, Failure.TOO_LARGE, True),
        (raw(b"no"), Failure.PROTOCOL, False),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), Failure.CONNECTION_LOST, True),
    ],
)
def test_a_stream_without_an_end_is_broken_off(
    told: Answer, failure: Failure, had_answer: bool, receiver: Receiver
) -> None:
    receiver.answers(told)
    request = Request(url=receiver.url, timeout_seconds=60 if failure != "timed_out" else ENOUGH)

    with pytest.raises(BrokenOff) as broken, stream(request) as answer:
        list(answer)

    assert broken.value.failure == failure
    assert (broken.value.was_connected, broken.value.had_answer) == (True, had_answer)


def test_silence_is_bounded_apart_from_the_whole(receiver: Receiver) -> None:
    def stops(exchange: Exchange) -> None:
        exchange.head(200, {})
        exchange.send(b"a")
        silent(exchange)

    receiver.answers(stops)
    request = Request(url=receiver.url, timeout_seconds=3_600)

    with pytest.raises(BrokenOff) as broken, stream(request, idle_seconds=0.3) as answer:
        list(answer)

    assert broken.value.failure == Failure.TIMED_OUT


@pytest.mark.parametrize("told", [silent, dripping_body])
def test_ticks_go_on_while_nothing_comes_and_may_end_it(told: Answer, receiver: Receiver) -> None:
    receiver.answers(told)
    ticks: list[int] = []

    def tick() -> None:
        ticks.append(1)
        if len(ticks) > 5:
            raise KeyboardInterrupt

    request = Request(url=receiver.url, timeout_seconds=3_600)
    with pytest.raises(KeyboardInterrupt), stream(request, tick=tick) as answer:
        list(answer)


def test_an_error_of_the_caller_is_his_own(receiver: Receiver) -> None:
    with pytest.raises(TimeoutError), stream(Request(url=receiver.url)):
        raise TimeoutError("of something else")


def test_a_redirect_is_an_answer(receiver: Receiver) -> None:
    receiver.answers(redirect(receiver.url))
    with stream(Request(url=receiver.url)) as answer:
        assert answer.status == 302
    assert receiver.connections == 1


def test_what_is_inside_is_not_streamed(receiver: Receiver) -> None:
    with Receiver() as other:
        request = Request(url=other.url)
        with pytest.raises(BrokenOff) as broken, stream(request):
            raise AssertionError("it was called")

        assert broken.value.failure == Failure.BLOCKED_ADDRESS
        assert not broken.value.was_connected
        assert other.connections == 0


def test_leaving_the_block_ends_the_connection(receiver: Receiver) -> None:
    gone: list[bool] = []

    def watching(exchange: Exchange) -> None:
        exchange.head(200, {})
        exchange.send(b"a")
        exchange.line.settimeout(60)
        gone.append(exchange.line.recv(1) == b"")

    receiver.answers(watching)
    with stream(Request(url=receiver.url, timeout_seconds=60)) as answer:
        next(iter(answer))

    wait_for(lambda: gone == [True], seconds=30, what="the connection has ended")


def test_a_whole_answer_of_the_largest_size_is_taken(receiver: Receiver) -> None:
    receiver.answers(status(200, b"a" * 1_000))
    with stream(Request(url=receiver.url, most_bytes=1_000)) as answer:
        assert b"".join(answer) == b"a" * 1_000
