"""What an error of the network means to the owner of the URL."""

from __future__ import annotations

import http.client
import ssl

from urllib3.exceptions import HTTPError

from jobs.egress.bounds import TooMuch
from jobs.egress.exchange import Failure
from jobs.egress.headers import RefusedHeader
from jobs.egress.names import NameNotFound, NameTimedOut
from jobs.egress.url import RefusedURL


class NotConnected(Exception):
    """No address of the host took the connection; `__cause__` says why."""


EXPECTED = (
    RefusedURL, RefusedHeader, NameNotFound, NameTimedOut, NotConnected, TooMuch,
    http.client.HTTPException, HTTPError, OSError,
)  # fmt: skip
"""All that a call may meet; anything else is a mistake of ours."""


def meaning(error: BaseException) -> tuple[Failure, str]:
    """Which failure it is, in a sentence that names neither addresses nor our libraries."""
    if isinstance(error, RefusedURL):
        return Failure.BLOCKED_ADDRESS, error.reason
    if isinstance(error, NotConnected):
        return _not_connected(error.__cause__)
    for kinds, failure, sentence in _MEANINGS:
        if isinstance(error, kinds):
            return failure, sentence
    raise error


def _not_connected(cause: BaseException | None) -> tuple[Failure, str]:
    if isinstance(cause, TimeoutError):
        return Failure.TIMED_OUT, "The connection was not made in time."
    if isinstance(cause, ConnectionRefusedError):
        return Failure.CONNECTION_REFUSED, "The connection was refused."
    return Failure.CONNECTION_REFUSED, "The host cannot be reached."


_Meaning = tuple[type[BaseException] | tuple[type[BaseException], ...], Failure, str]

# The first that fits: some of these are kinds of those further down.
_MEANINGS: tuple[_Meaning, ...] = (
    (RefusedHeader, Failure.PROTOCOL, "The request has a header that cannot be sent."),
    (NameNotFound, Failure.NAME_NOT_FOUND, "The host's name is not known."),
    (NameTimedOut, Failure.NAME_TIMED_OUT, "The host's name was not found in time."),
    (TimeoutError, Failure.TIMED_OUT, "There was no whole answer in time."),
    (
        ssl.SSLCertVerificationError,
        Failure.TLS,
        "The host's certificate is not valid for it, has expired, or is signed by nobody known.",
    ),
    ((ssl.SSLEOFError, ConnectionError), Failure.CONNECTION_LOST, "The connection was lost."),
    (ssl.SSLError, Failure.TLS, "The host and we could not agree on TLS."),
    (http.client.IncompleteRead, Failure.CONNECTION_LOST, "The answer broke off."),
    (TooMuch, Failure.PROTOCOL, "The answer's headers are too large."),
    ((http.client.HTTPException, HTTPError), Failure.PROTOCOL, "The answer is not HTTP/1.1."),
    (OSError, Failure.CONNECTION_LOST, "The connection was lost."),
)
