"""Whoever is slow, or never ends, holds a call for its own time and a little memory."""

from __future__ import annotations

import gzip
import socket
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from pytest_django import Settings

from jobs.egress import Failure, Request, connection, send
from tests.egress.fixtures import Names
from tests.support.answers import (
    dripping_body,
    dripping_headers,
    endless,
    endless_headers,
    silent,
    status,
)
from tests.support.receiver import Answer, Exchange, Receiver

SECONDS = 0.5  # what a call gets here
ENOUGH = 3.0  # for the head of an answer, on a busy machine
MUCH_LATER = 30.0  # when a call that has no end would still go on


def drips_hints(exchange: Exchange) -> None:
    """Interim answers without an end, one now and then."""
    while exchange.pause(0.05):
        exchange.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")


def drips_a_chunk(exchange: Exchange) -> None:
    """A chunk's length that never ends."""
    exchange.head(200, {"Transfer-Encoding": "chunked"})
    while exchange.pause(0.05):
        exchange.send(b"0")


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (silent, None),
        (drips_hints, None),
        (dripping_headers, None),
        (dripping_body, 200),
        (drips_a_chunk, 200),
    ],
)
def test_a_slow_receiver_is_left_in_time(
    told: Answer, code: int | None, receiver: Receiver
) -> None:
    receiver.answers(told)
    seconds = SECONDS if code is None else ENOUGH

    answer = send(Request(url=receiver.url, timeout_seconds=seconds))

    assert (answer.status, answer.error) == (code, Failure.TIMED_OUT)
    assert seconds <= answer.duration_seconds < MUCH_LATER


def test_a_body_without_an_end_is_read_to_its_limit(receiver: Receiver) -> None:
    receiver.answers(endless)

    answer = send(Request(url=receiver.url, timeout_seconds=60))

    assert (answer.status, answer.error) == (200, None)
    assert answer.body == b"a" * 65_536


def test_headers_without_an_end_are_left_at_their_limit(receiver: Receiver) -> None:
    receiver.answers(endless_headers)

    answer = send(Request(url=receiver.url, timeout_seconds=60))

    assert (answer.status, answer.error) == (None, Failure.PROTOCOL)


@contextmanager
def deaf() -> Iterator[int]:
    """A port whose connections are never made: as many as it takes already wait."""
    with ExitStack() as ending:
        server = ending.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = ending.enter_context(socket.socket())
            waiting.setblocking(False)
            with suppress(BlockingIOError):
                waiting.connect(server.getsockname())
        yield int(server.getsockname()[1])


def test_a_connection_that_is_never_made_is_left_in_time(settings: Settings) -> None:
    with deaf() as port:
        settings.EGRESS_ALLOW = [f"127.0.0.1:{port}"]

        answer = send(Request(url=f"http://127.0.0.1:{port}/", timeout_seconds=SECONDS))

    assert answer.error == Failure.TIMED_OUT
    assert SECONDS <= answer.duration_seconds < MUCH_LATER


def test_an_address_that_is_silent_leaves_time_for_the_next(
    settings: Settings, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_CONNECT_SECONDS", SECONDS)
    with deaf() as port:
        names["hooks.example"] = ["127.0.0.1", "127.0.0.2"]
        settings.EGRESS_ALLOW = [f"hooks.example:{port}"]

        answer = send(Request(url=f"http://hooks.example:{port}/", timeout_seconds=60))

    assert answer.error == Failure.CONNECTION_REFUSED  # by the second


def test_a_handshake_that_never_ends_is_left_in_time(settings: Settings) -> None:
    """The receiver speaks no TLS and waits for a line that never comes."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        settings.EGRESS_ALLOW = [f"127.0.0.1:{port}"]

        answer = send(Request(url=f"https://127.0.0.1:{port}/", timeout_seconds=SECONDS))

    assert answer.error == Failure.TIMED_OUT
    assert SECONDS <= answer.duration_seconds < MUCH_LATER


def test_a_request_that_nobody_reads_is_left_in_time(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        settings.EGRESS_ALLOW = [f"127.0.0.1:{port}"]
        body = bytes(32 * 1024 * 1024)

        answer = send(Request(url=f"http://127.0.0.1:{port}/", body=body, timeout_seconds=SECONDS))

    assert answer.error == Failure.TIMED_OUT
    assert answer.duration_seconds < MUCH_LATER


def test_what_is_packed_stays_packed(receiver: Receiver) -> None:
    packed = gzip.compress(bytes(64 * 1024 * 1024), compresslevel=9)
    receiver.answers(status(200, packed, {"Content-Encoding": "gzip"}))
    tracemalloc.start()
    try:
        answer = send(Request(url=receiver.url, timeout_seconds=60))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert answer.body == packed[:65_536]
    assert most < 2 * 1024 * 1024
