"""A call and its answer, against a real receiver."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_django import Settings

from jobs.egress import Failure, RefusedHeader, Request, check_headers, connection, send
from tests.egress.connects import connects
from tests.egress.fixtures import Names
from tests.support.addresses import free_port
from tests.support.answers import hang_up, raw, reset, status
from tests.support.receiver import Exchange, Receiver


def test_the_body_and_the_headers_arrive_exactly(receiver: Receiver) -> None:
    body = bytes(range(256)) * 10
    answer = send(
        Request(url=receiver.url + "?a=%20b", body=body, headers={"X-Of-Caller": "café \t ok"})
    )

    [request] = receiver.received
    assert (request.method, request.path) == ("POST", "/hook?a=%20b")
    assert request.body == body
    assert request.headers == {
        "host": receiver.address,
        "content-length": "2560",
        "user-agent": request.headers["user-agent"],
        "x-of-caller": "café \t ok",
        "accept-encoding": "identity",
        "connection": "close",
    }
    assert request.headers["user-agent"].startswith("Celeriac/")
    assert (answer.status, answer.error, answer.message) == (200, None, "")
    assert answer.address == "127.0.0.1"
    assert answer.duration_seconds > 0


def test_the_status_the_headers_and_the_start_of_the_body_come_back(receiver: Receiver) -> None:
    receiver.answers(status(429, b"0123456789", {"Retry-After": "7", "X-A": "b"}))

    answer = send(Request(url=receiver.url, most_bytes=4))

    assert (answer.status, answer.error, answer.body) == (429, None, b"0123")
    assert answer.headers == {"content-length": "10", "retry-after": "7", "x-a": "b"}


def test_headers_that_come_twice_or_over_several_lines_are_one_printable_line(
    receiver: Receiver,
) -> None:
    receiver.answers(raw(b"HTTP/1.1 200 OK\r\nX-A: b\r\nx-a: c\r\nX-F: d\r\n e\x00\x1b[2J\r\n\r\n"))

    headers = send(Request(url=receiver.url)).headers

    assert headers["x-a"] == "b, c"
    assert headers["x-f"].isprintable()


def test_a_body_in_chunks_is_put_together(receiver: Receiver) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    receiver.answers(raw(head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"))

    assert send(Request(url=receiver.url)).body == b"abcde"


@pytest.mark.parametrize("interim", [100, 102, 103, 199])
def test_what_comes_before_the_answer_is_not_the_answer(interim: int, receiver: Receiver) -> None:
    before = b"HTTP/1.1 %d So far\r\nX-Interim: y\r\n\r\n" % interim
    receiver.answers(raw(before * 2 + b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"))

    answer = send(Request(url=receiver.url))

    assert (answer.status, answer.error, answer.body) == (200, None, b"ok")
    assert answer.headers == {"content-length": "2"}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_go_out_too(method: str, receiver: Receiver) -> None:
    assert send(Request(url=receiver.url, method=method)).status == 200
    assert receiver.received[0].method == method


def test_a_name_is_called_by_its_name(receiver: Receiver, names: Names, settings: Settings) -> None:
    names["hooks.example"] = ["127.0.0.1"]
    settings.EGRESS_ALLOW = [f"hooks.example:{receiver.port}"]

    answer = send(Request(url=f"http://HOOKS.example.:{receiver.port}/"))

    assert answer.address == "127.0.0.1"
    assert receiver.received[0].headers["host"] == f"hooks.example:{receiver.port}"
    assert names.asked == 1


def test_the_next_address_is_tried_when_one_refuses(
    receiver: Receiver, names: Names, settings: Settings
) -> None:
    names["hooks.example"] = ["127.0.0.2", "127.0.0.3", "127.0.0.1"]
    settings.EGRESS_ALLOW = [f"hooks.example:{receiver.port}"]

    answer = send(Request(url=f"http://hooks.example:{receiver.port}/"))

    assert (answer.status, answer.address) == (200, "127.0.0.1")


def test_only_a_few_addresses_are_tried(names: Names, settings: Settings) -> None:
    port = free_port()
    names["hooks.example"] = [f"127.0.0.{last}" for last in range(1, 100)]
    settings.EGRESS_ALLOW = [f"hooks.example:{port}"]

    with connects() as tried:
        answer = send(Request(url=f"http://hooks.example:{port}/"))

    assert answer.error == Failure.CONNECTION_REFUSED
    assert len(tried) == connection._MOST_ADDRESSES


@pytest.mark.parametrize(
    ("told", "failure"),
    [
        (hang_up, Failure.CONNECTION_LOST),
        (reset, Failure.CONNECTION_LOST),
        (raw(b"SSH-2.0-OpenSSH_9.6\r\n"), Failure.PROTOCOL),
        (raw(b"HTTP/1.1 abc OK\r\n\r\n"), Failure.PROTOCOL),
        (raw(b"HTTP/1.1 2_00 OK\r\n\r\n"), Failure.PROTOCOL),
        (raw(b"HTTP/1.1 +200 OK\r\n\r\n"), Failure.PROTOCOL),
        (raw(b"HTTP/1.1 0200 OK\r\n\r\n"), Failure.PROTOCOL),
        (raw(b"HTTP/1.1 099 OK\r\n\r\n"), Failure.PROTOCOL),
        (raw("HTTP/1.1 20² OK\r\n\r\n".encode("latin-1")), Failure.PROTOCOL),
        (raw(b"HTTP/1.1 200"), Failure.PROTOCOL),
        (raw(b"HTTP/1.1 200 OK\r\nX-A: b"), Failure.CONNECTION_LOST),
        (raw(b"HTTP/1.1 200 OK\r\nX-A: b\r\n"), Failure.CONNECTION_LOST),
        (raw(b"HTTP/2.0 200 OK\r\n\r\n"), Failure.PROTOCOL),
        (raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), Failure.PROTOCOL),
        (raw(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), Failure.CONNECTION_LOST),
        (raw(b"HTTP/1.1 103 Early Hints\r\n\r\nSSH-2.0\r\n"), Failure.PROTOCOL),
        (raw(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 9_000), Failure.PROTOCOL),
        (raw(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n"), Failure.PROTOCOL),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 200 + b"\r\n"), Failure.PROTOCOL),
        (raw(b"HTTP/1.1 200 OK\r\n" + (b"X: " + b"a" * 7_000 + b"\r\n") * 20), Failure.PROTOCOL),
        (raw(b"HTTP/1.1 100 Go on\r\n\r\n" * 9_000), Failure.PROTOCOL),
        (raw(b"\x00" * 100_000), Failure.PROTOCOL),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_a_failure(told: object, failure: Failure, receiver: Receiver) -> None:
    receiver.answers(told)  # type: ignore[arg-type]

    answer = send(Request(url=receiver.url, timeout_seconds=60))

    assert (answer.status, answer.error) == (None, failure)
    assert answer.message
    assert "127.0.0.1" not in answer.message


@pytest.mark.parametrize(
    "told",
    [
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nabc\r\nabc"),
    ],
)
def test_an_answer_that_breaks_off_keeps_its_status(told: object, receiver: Receiver) -> None:
    receiver.answers(told)  # type: ignore[arg-type]

    answer = send(Request(url=receiver.url))

    assert (answer.status, answer.error) == (200, Failure.CONNECTION_LOST)


def test_an_answer_that_comes_before_the_whole_request_counts(receiver: Receiver) -> None:
    def early(exchange: Exchange) -> None:
        status(413)(exchange)

    receiver.answers(early)
    answer = send(Request(url=receiver.url, body=b"a" * 300_000))

    assert answer.status == 413


def test_nobody_there_is_refused_and_a_name_without_address_is_not_found(
    names: Names, settings: Settings
) -> None:
    port = free_port()
    settings.EGRESS_ALLOW = [f"127.0.0.1:{port}"]

    assert send(Request(url=f"http://127.0.0.1:{port}/")).error == Failure.CONNECTION_REFUSED
    assert send(Request(url="http://no.example/")).error == Failure.NAME_NOT_FOUND


def test_what_a_request_shows_of_itself_holds_no_secret() -> None:
    request = Request(url="http://a.example/?t=s3cret", body=b"s3cret", headers={"X": "s3cret"})

    assert "s3cret" not in repr(request)


BAD_HEADERS = [
    {"X-A": "b\r\nX-Injected: c"},
    {"X-A": "b\nX-Injected: c"},
    {"X-A": "b\r\n\r\nGET / HTTP/1.1"},
    {"X-A\r\nX-Injected: c": "b"},
    {"X A": "b"},
    {"X-A:": "b"},
    {"": "b"},
    {"X-Ä": "b"},
    {"X-A": "b\x00"},
    {"X-A": "\u20ac"},
    {"X-A": "a" * 9_000},
    {"Host": "127.0.0.1"},
    {"content-length": "0"},
    {"Transfer-Encoding": "chunked"},
    {"Connection": "keep-alive"},
    {"Accept-Encoding": "gzip"},
    {"Proxy-Authorization": "Basic eA=="},
    {"X-A": "b", "x-a": "c"},
]


@pytest.mark.parametrize("headers", BAD_HEADERS, ids=range(len(BAD_HEADERS)))
def test_headers_that_would_be_more_than_headers_go_nowhere(
    headers: dict[str, str], receiver: Receiver
) -> None:
    with pytest.raises(RefusedHeader) as refused:
        check_headers(headers)
    assert refused.value.reason.isprintable()
    answer = send(Request(url=receiver.url, headers=headers))

    assert answer.error == Failure.PROTOCOL
    assert receiver.connections == 0


def test_sixteen_threads_at_once_each_get_their_own_answer(receiver: Receiver) -> None:
    receiver.otherwise = lambda exchange: status(200, exchange.request.body)(exchange)
    together = threading.Barrier(16)

    def work(thread: int) -> list[bool]:
        together.wait(60)
        bodies = [f"{thread} {count}".encode() for count in range(20)]
        return [
            send(Request(url=receiver.url, body=body, timeout_seconds=60)).body == body
            for body in bodies
        ]

    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(work, range(16)))

    assert results == [[True] * 20] * 16
    assert receiver.connections == 320
