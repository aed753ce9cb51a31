"""A POST whose answer is read line by line, within hard bounds of time and size.

A thread reads, the caller waits for it. So the caller's deadline and its cancellation act at once,
also while the server is silent. The one importer of `requests` in this package.

Known weakness: a server that drips its *headers* can hold the (daemon) reading thread, though not
the caller, until it stops; a body is cut by closing the socket.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from workloads.llm.errors import BadAnswer, OutOfTime, Unavailable
from workloads.llm.refusals import raise_for_status

CONNECT_SECONDS = 5.0
MAX_BYTES = 4 * 1024 * 1024
READ_BYTES = 64 * 1024
TICK_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class Call:
    """What to send, and how long (seconds) and how large (bytes) the answer may be."""

    url: str
    body: Mapping[str, Any]
    total_seconds: float
    headers: Mapping[str, str] = field(default_factory=dict)
    max_bytes: int = MAX_BYTES


def streamed_lines(call: Call, tick: Callable[[], None]) -> Generator[bytes, None, None]:
    """The lines of the answer as they arrive, without their ends.

    `tick` runs several times a second while waiting and may raise. Raises `LanguageModelError`.
    Closing the iterator ends the connection.
    """
    reader = _Reader(call)
    reader.start()
    try:
        yield from _lines(_pieces(reader, time.monotonic() + call.total_seconds, tick))
    finally:
        reader.stop()


def _pieces(reader: "_Reader", deadline: float, tick: Callable[[], None]) -> Iterator[bytes]:
    while True:
        tick()
        left = deadline - time.monotonic()
        if left <= 0:
            raise OutOfTime("The language model did not finish its answer in the time allowed.")
        with contextlib.suppress(queue.Empty):
            piece = reader.heard.get(timeout=min(left, TICK_SECONDS))
            if isinstance(piece, Exception):
                raise piece
            if piece is None:
                return
            yield piece


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *complete, rest = (rest + piece).split(b"\n")
        yield from complete
    if rest:
        yield rest


class _Reader(threading.Thread):
    """Puts what arrives into `heard`: pieces, then None for the end or an exception."""

    def __init__(self, call: Call) -> None:
        super().__init__(name="language-model-reader", daemon=True)
        self.heard: queue.SimpleQueue[bytes | Exception | None] = queue.SimpleQueue()
        self._call = call
        self._response: requests.Response | None = None
        self._stopped = threading.Event()

    def run(self) -> None:
        try:
            with requests.Session() as session:
                self._read(session)
            self.heard.put(None)
        except requests.Timeout:
            self.heard.put(Unavailable("The language model's server did not answer in time."))
        except requests.RequestException:
            self.heard.put(Unavailable("The language model's server cannot be reached."))
        except (HTTPError, OSError):
            self.heard.put(BadAnswer("The language model's answer broke off."))
        except Exception as error:  # noqa: BLE001 - handed to the caller, who waits for it
            self.heard.put(error)

    def stop(self) -> None:
        """End the connection, whatever the thread is waiting for."""
        self._stopped.set()
        if self._response is not None:
            with contextlib.suppress(Exception):  # already closed, from either side
                self._response.raw.shutdown()

    def _read(self, session: requests.Session) -> None:
        # Proxies and credentials in the worker's environment are not meant for the model's server.
        session.trust_env = False
        with session.post(
            self._call.url,
            json=self._call.body,
            headers={"Accept-Encoding": "identity", **self._call.headers},
            # Later than the caller's own deadline, which is the one that speaks.
            timeout=(CONNECT_SECONDS, self._call.total_seconds + CONNECT_SECONDS),
            allow_redirects=False,
            stream=True,
        ) as response:
            self._response = response
            raise_for_status(response.status_code, response.headers.get("Retry-After"))
            self._read_body(response)

    def _read_body(self, response: requests.Response) -> None:
        received = 0
        while not self._stopped.is_set():
            piece = response.raw.read1(READ_BYTES)
            if not piece:
                return
            received += len(piece)
            if received > self._call.max_bytes:
                raise BadAnswer("The language model's answer was too large.")
            self.heard.put(piece)
