"""One call from its name to the headers of its answer; `sending` and `streaming` read the rest."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from jobs.egress.bounds import Bounds
from jobs.egress.checking import addresses_for
from jobs.egress.connection import Connection, begin_answer, connection_to, line_to
from jobs.egress.exchange import Request
from jobs.egress.failing import NotConnected
from jobs.egress.headers import headers_to_send, received
from jobs.egress.lines import BoundedSocket
from jobs.egress.url import Target, parse

MOST_HEADER_BYTES = 64 * 1024


@dataclass(kw_only=True)
class Progress:
    """How far a call came, also when it ended there."""

    address: str | None = None
    is_connected: bool = False
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


@contextmanager
def called(
    request: Request, bounds: Bounds, progress: Progress
) -> Iterator[http.client.HTTPResponse]:
    """The answer, its body not read yet. Raises one of `failing.EXPECTED`.

    1. Read the URL, and look at every address that its host has, asked for once.
    2. Connect to one of these addresses, and under https make sure of the certificate.
    3. Send; read status and headers. The connection ends with the block.
    """
    target = parse(request.url)
    headers = headers_to_send(request.headers)
    with ExitStack() as ending:
        line = _line(request, target, bounds, progress)
        ending.callback(line.close)  # where TLS took it over, this is nothing
        connection = connection_to(target, line)
        ending.callback(connection.close)
        connection.connect()
        _send(connection, request, target, headers)
        response = _begin(connection, bounds, progress)
        ending.callback(response.close)
        yield response


def _line(request: Request, target: Target, bounds: Bounds, progress: Progress) -> BoundedSocket:
    addresses = addresses_for(target, bounds, of_operator=request.of_operator, party=request.party)
    progress.address = addresses[0]
    try:
        line, progress.address = line_to(addresses, target.port, bounds)
    except OSError as error:
        raise NotConnected from error
    progress.is_connected = True
    return line


def _send(
    connection: Connection, request: Request, target: Target, headers: dict[str, str]
) -> None:
    # It may have answered before it heard all: the answer says more than the pipe.
    with suppress(BrokenPipeError):
        connection.request(request.method, target.path, body=request.body, headers=headers)


def _begin(connection: Connection, bounds: Bounds, progress: Progress) -> http.client.HTTPResponse:
    bounds.listen()
    bounds.allow(MOST_HEADER_BYTES)
    response = begin_answer(connection)
    bounds.allow(None)
    progress.status = response.status
    progress.headers = received(response.getheaders())
    return response
