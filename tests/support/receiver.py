"""A receiver of webhooks on loopback: it answers as it is told, and remembers all it was sent.

    with Receiver(status(500), status(200)) as receiver:      # the first two answers, then 200
        ...                                                   # whatever posts to receiver.url
        receiver.wait_for(2)
    assert receiver.received[0].headers["webhook-id"] == ...

What it is told stands in `tests/support/answers.py`: each is a function of an `Exchange`, and
tests may write their own.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import BinaryIO

from tests.support.waiting import wait_for

Answer = Callable[["Exchange"], None]


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request as it came; `headers` have lower-case names, `body` is exact."""

    at: datetime
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Exchange:
    """One request, and the means to answer it byte by byte."""

    def __init__(self, request: Received, line: socket.socket, stopping: threading.Event) -> None:
        self.request = request
        self.line = line
        self._stopping = stopping

    def send(self, data: bytes) -> None:
        self.line.sendall(data)

    def head(self, code: int, headers: Mapping[str, str]) -> None:
        """The status line and the headers; nothing is added to them."""
        lines = [f"HTTP/1.1 {code} Told so", *(f"{n}: {v}" for n, v in headers.items())]
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def pause(self, seconds: float) -> bool:
        """Wait so long, but not beyond the receiver's end; whether it goes on."""
        return not self._stopping.wait(seconds)


def _ok(exchange: Exchange) -> None:
    exchange.head(200, {"Content-Length": "0", "Connection": "close"})


class Receiver:
    """A server of one answer a connection. `connections` counts them all, also those that never
    became a request; `otherwise` is the answer when all that were given are used up."""

    def __init__(self, *answers: Answer, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.otherwise: Answer = _ok
        self.connections = 0
        self._answers = deque(answers)
        self._received: list[Received] = []
        self._tls = tls
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._lines: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port = int(self._listener.getsockname()[1])

    @property
    def address(self) -> str:
        """As EGRESS_ALLOW takes it."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self.address}/hook"

    @property
    def received(self) -> list[Received]:
        """All requests so far, in the order of their arrival."""
        with self._lock:
            return list(self._received)

    def answers(self, *answers: Answer) -> None:
        """These next, each once."""
        with self._lock:
            self._answers.extend(answers)

    def wait_for(self, requests: int, *, seconds: float = 60.0) -> list[Received]:
        """The requests, once there are so many."""
        what = f"the receiver has {requests} requests"
        wait_for(lambda: len(self.received) >= requests, seconds=seconds, what=what)
        return self.received

    def __enter__(self) -> Receiver:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            lines = list(self._lines)
        for line in lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(10)

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, name="receiver", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                line, _ = self._listener.accept()
            except OSError:  # closed: the end
                return
            with self._lock:
                self.connections += 1
                self._lines.add(line)
            self._start(self._serve, line)

    def _serve(self, line: socket.socket) -> None:
        """Whatever the other side does, it may do; only its own thread ends of it."""
        plain = line
        try:
            with suppress(OSError, ValueError):  # it went, or sent no HTTP
                if self._tls is not None:
                    line = self._tls.wrap_socket(line, server_side=True)
                self._answer(line)
        finally:
            with self._lock:
                self._lines.discard(plain)
            line.close()

    def _answer(self, line: socket.socket) -> None:
        with line.makefile("rb") as source:
            request = _read(source)
        with self._lock:
            self._received.append(request)
            answer = self._answers.popleft() if self._answers else self.otherwise
        answer(Exchange(request, line, self._stopping))


def _read(source: BinaryIO) -> Received:
    """ValueError for what is no request, as a greeting in TLS: whichever bytes it has, it must not
    be taken for the first line of one."""
    method, path, version = source.readline().decode("latin-1").split(" ")
    if not version.startswith("HTTP/"):
        raise ValueError("This is not HTTP.")
    headers = {}
    while (text := source.readline().decode("latin-1").rstrip("\r\n")) != "":
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    body = source.read(int(headers.get("content-length", "0")))
    return Received(at=datetime.now(UTC), method=method, path=path, headers=headers, body=body)
