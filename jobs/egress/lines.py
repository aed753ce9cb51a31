"""Sockets that keep to the bounds of a call, whatever reads from them and however slowly it comes.

A plain time-out is for one wait: a byte now and then holds the reader for ever. Here each wait is
for what is left of the whole.
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any

from jobs.egress.bounds import Bounds

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class BoundedSocket(socket.socket):
    """`bounds` is set before the first byte."""

    bounds: Bounds

    def recv_into(self, buffer: WriteableBuffer, nbytes: int | None = None, flags: int = 0) -> int:
        while True:
            self.settimeout(self.bounds.wait())
            try:
                count = super().recv_into(buffer, nbytes or 0, flags)
            except TimeoutError:
                continue  # `wait` says whether that was the end
            self.bounds.heard(count)
            return count

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        self.settimeout(self.bounds.left())
        return super().send(data, flags)

    def sendall(self, data: ReadableBuffer, flags: int = 0) -> None:
        self.settimeout(self.bounds.left())
        super().sendall(data, flags)


class BoundedTLSSocket(BoundedSocket, ssl.SSLSocket):
    """The same above TLS; the handshake is over before it has bounds of its own."""


def connected(address: str, port: int, bounds: Bounds, *, seconds: float) -> BoundedSocket:
    """A line to this very address, made within `seconds`; raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    line = BoundedSocket(family, socket.SOCK_STREAM)
    try:
        line.bounds = bounds
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.settimeout(min(bounds.left(), seconds))
        place: tuple[Any, ...] = (address, port)
        line.connect(place)
    except BaseException:
        line.close()
        raise
    return line
