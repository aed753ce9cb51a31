"""What a `Receiver` can be told to answer: good, bad and hostile."""

from __future__ import annotations

import gzip
import socket
import struct
from collections.abc import Mapping

from tests.support.receiver import Answer, Exchange

SLOWLY = 0.05  # seconds between two drips


def status(code: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
    """A whole answer."""

    def answer(exchange: Exchange) -> None:
        exchange.head(code, {"Content-Length": str(len(body)), **(headers or {})})
        exchange.send(body)

    return answer


def redirect(to: str, code: int = 302) -> Answer:
    return status(code, headers={"Location": to})


def after(seconds: float, then: Answer) -> Answer:
    """The same, later."""

    def answer(exchange: Exchange) -> None:
        if exchange.pause(seconds):
            then(exchange)

    return answer


def raw(data: bytes) -> Answer:
    """These bytes, whether or not they are HTTP, and the end of the connection."""
    return lambda exchange: exchange.send(data)


def hang_up(exchange: Exchange) -> None:
    """The end of the connection instead of an answer."""


def reset(exchange: Exchange) -> None:
    """The connection breaks instead of an answer."""
    at_once = struct.pack("ii", 1, 0)
    exchange.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)


def silent(exchange: Exchange) -> None:
    """Take the request and say nothing for as long as the other side waits."""
    while exchange.pause(SLOWLY) and _is_there(exchange):
        pass


def dripping_headers(exchange: Exchange) -> None:
    """One header without an end, byte by byte."""
    exchange.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while exchange.pause(SLOWLY):
        exchange.send(b"a")


def dripping_body(exchange: Exchange) -> None:
    """200 at once, then a body that never ends, byte by byte."""
    exchange.head(200, {"Content-Type": "text/plain"})
    while exchange.pause(SLOWLY):
        exchange.send(b"a")


def endless(exchange: Exchange) -> None:
    """A body that never ends, as fast as it is taken."""
    exchange.head(200, {"Content-Type": "text/plain"})
    while exchange.pause(0):
        exchange.send(b"a" * 65_536)


def endless_headers(exchange: Exchange) -> None:
    """Interim answers without an end, as fast as they are taken."""
    while exchange.pause(0):
        exchange.send(b"HTTP/1.1 100 Continue\r\nX-More: " + b"a" * 8_000 + b"\r\n\r\n")


def gzip_bomb(exchange: Exchange) -> None:
    """Some kilobytes that would be 64 MiB."""
    body = gzip.compress(bytes(64 * 1024 * 1024), compresslevel=9)
    head = {"Content-Encoding": "gzip", "Content-Length": str(len(body))}
    status(200, body, head)(exchange)


def _is_there(exchange: Exchange) -> bool:
    """Whether the other side still holds its end; it sends nothing more."""
    try:
        exchange.line.settimeout(0.001)
        return exchange.line.recv(1) != b""
    except TimeoutError:
        return True
    finally:
        exchange.line.settimeout(None)
