"""What goes out, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Failure(StrEnum):
    """Why there is no whole answer. Branch on it, never on the words."""

    BLOCKED_ADDRESS = "blocked_address"
    NAME_NOT_FOUND = "name_not_found"
    NAME_TIMED_OUT = "name_timed_out"
    CONNECTION_REFUSED = "connection_refused"
    CONNECTION_LOST = "connection_lost"
    TIMED_OUT = "timed_out"
    TLS = "tls"
    PROTOCOL = "protocol"
    TOO_LARGE = "too_large"  # of a stream alone: `send` leaves the rest unread


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call. `timeout_seconds` is for all of it, from the name to the last byte of the answer;
    `most_bytes` of the answer's body are kept. `of_operator`: the URL stands in the settings of
    this installation, so that its host and port count as allowed; never for a tenant's URL.
    `party`: whose call it is, a tenant's id; what hangs for one party leaves room for the others.
    """

    url: str = field(repr=False)  # its query may hold a secret
    method: str = "POST"
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_seconds: float = 10.0
    most_bytes: int = 65_536
    of_operator: bool = False
    party: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back. With an `error` the answer is not whole, though `status` and `headers` may
    be there; `message` is one sentence for the owner of the URL and names nothing of the inside.
    The names of `headers` are in lower case. `address` is where the call went, or None.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    error: Failure | None = None
    message: str = ""
    duration_seconds: float = 0.0
    address: str | None = None
