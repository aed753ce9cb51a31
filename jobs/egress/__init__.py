"""The one way out: calls to URLs that somebody gave, and to nothing that they must not reach.

`check_url` refuses at save, `send` and `stream` check again and connect to what they checked. What
they promise, and what they cannot, stands in `docs/reference/egress.md`.
"""

from jobs.egress.allowed import allowed
from jobs.egress.checking import check_url
from jobs.egress.exchange import Answer, Failure, Request
from jobs.egress.headers import RefusedHeader, check_headers
from jobs.egress.sending import send
from jobs.egress.streaming import BrokenOff, Stream, stream
from jobs.egress.url import RefusedURL, parse

__all__ = [
    "Answer",
    "BrokenOff",
    "Failure",
    "RefusedHeader",
    "RefusedURL",
    "Request",
    "Stream",
    "allowed",
    "check_headers",
    "check_url",
    "parse",
    "send",
    "stream",
]
