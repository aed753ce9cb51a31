"""One call whose answer is kept whole, up to a size."""

from __future__ import annotations

import http.client
from time import monotonic

from jobs.egress.bounds import Bounds
from jobs.egress.call import Progress, called
from jobs.egress.exchange import Answer, Failure, Request
from jobs.egress.failing import EXPECTED, meaning

_READ_BYTES = 16 * 1024


def send(request: Request) -> Answer:
    """What came of it. Never raises for the network's sake, and never takes longer than
    `timeout_seconds`. Whatever the answer is, a redirect too, it is the answer."""
    begun = monotonic()
    progress, body = Progress(), bytearray()
    error: Failure | None = None
    message = ""
    try:
        with called(request, Bounds(request.timeout_seconds), progress) as response:
            _read(response, body, request.most_bytes)
    except EXPECTED as caught:
        error, message = meaning(caught)
    return Answer(
        status=progress.status,
        headers=progress.headers,
        body=bytes(body),
        error=error,
        message=message,
        duration_seconds=monotonic() - begun,
        address=progress.address,
    )


def _read(response: http.client.HTTPResponse, body: bytearray, most: int) -> None:
    """As it came, packed or not; what is beyond `most` is left where it is."""
    while len(body) < most:
        piece = response.read1(min(_READ_BYTES, most - len(body)))
        if not piece:
            ended(response)
            return
        body += piece


def ended(response: http.client.HTTPResponse) -> None:
    """Raise `IncompleteRead` if the answer ended before its own length."""
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
