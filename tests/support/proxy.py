"""A TCP proxy on loopback that can hold back what its clients say, and let it through later."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_CHUNK = 65536


class Proxy:
    """Whatever connects to `port` speaks to the server at `target`, a loopback port. While it
    holds, words of clients stay on the way, even of clients that are dead by then."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._passing = threading.Event()
        self._passing.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def hold(self) -> None:
        self._passing.clear()

    def let_through(self) -> None:
        self._passing.set()

    @contextmanager
    def open(self) -> Iterator[Proxy]:
        self._start(self._accept)
        try:
            yield self
        finally:
            self.let_through()
            _end(self._listener)
            self._threads[0].join()
            for one in self._sockets:
                _end(one)
            for thread in self._threads:
                thread.join()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [client, server]
                self._start(self._pump, client, server, self._passing)
                self._start(self._pump, server, client, None)

    def _pump(
        self, source: socket.socket, sink: socket.socket, passing: threading.Event | None
    ) -> None:
        with suppress(OSError):  # either end is gone
            while data := source.recv(_CHUNK):
                if passing is not None:
                    passing.wait()
                sink.sendall(data)
            if passing is not None:
                passing.wait()
            sink.shutdown(socket.SHUT_WR)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, name="proxy", daemon=True)
        self._threads.append(thread)
        thread.start()


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
