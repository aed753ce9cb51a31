"""One HTTP/1.1 connection for one call, to an address that was looked at."""

from __future__ import annotations

import http.client
from collections.abc import Sequence

from urllib3.connection import HTTPConnection, HTTPSConnection

from jobs.egress.answering import FinalAnswer
from jobs.egress.bounds import Bounds
from jobs.egress.lines import BoundedSocket, BoundedTLSSocket, connected
from jobs.egress.trust import tls_context
from jobs.egress.url import Target

_CONNECT_SECONDS = 5.0  # of one address
_HANDSHAKE_SECONDS = 10.0
_MOST_ADDRESSES = 4


class _Connection(HTTPConnection):
    """Over a line that is there already: no name is looked up a second time."""

    response_class = FinalAnswer
    line: BoundedSocket

    def _new_conn(self) -> BoundedSocket:
        return self.line


class _TLSConnection(HTTPSConnection):
    """The same above TLS; certificate and SNI are checked against the URL's host."""

    response_class = FinalAnswer
    line: BoundedSocket

    def _new_conn(self) -> BoundedSocket:
        return self.line

    def connect(self) -> None:
        bounds = self.line.bounds
        self.line.settimeout(min(bounds.left(), _HANDSHAKE_SECONDS))
        super().connect()
        assert isinstance(self.sock, BoundedTLSSocket)
        self.sock.bounds = bounds


Connection = _Connection | _TLSConnection


def connection_to(target: Target, line: BoundedSocket) -> Connection:
    """Not begun yet: its `connect` makes TLS where the URL says so. Closing it closes the line."""
    connection: Connection
    if target.scheme == "https":
        connection = _TLSConnection(target.host, target.port, ssl_context=tls_context())
    else:
        connection = _Connection(target.host, target.port)
    connection.line = line
    return connection


def line_to(addresses: Sequence[str], port: int, bounds: Bounds) -> tuple[BoundedSocket, str]:
    """A line to the first address that takes it, and which one that was; raises the last OSError.

    Each may use its share of the time, so that one that is silent leaves some to the next.
    """
    tried = addresses[:_MOST_ADDRESSES]
    for at, address in enumerate(tried, start=1):
        share = min(_CONNECT_SECONDS, bounds.left() / (len(tried) - at + 1))
        try:
            return connected(address, port, bounds, seconds=share), address
        except OSError:
            if at == len(tried):
                raise
    raise AssertionError("there is no address to try")


def begin_answer(connection: Connection) -> http.client.HTTPResponse:
    """The answer's status and headers, read by Python's own reader: it unpacks nothing, and tells
    no log of a malformed header with the URL beside it, as urllib3's does."""
    return http.client.HTTPConnection.getresponse(connection)
