"""Which headers a call may carry: whole words and lines, and none that rule the connection."""

from __future__ import annotations

import re
from collections.abc import Mapping

from jobs.version import VERSION

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_VALUE = re.compile(r"[\t -~\x80-\xff]{0,8192}")
_OURS = frozenset(
    {
        "accept-encoding", "connection", "content-length", "expect", "host", "keep-alive",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip


class RefusedHeader(ValueError):
    """This header cannot be sent; `reason` is a sentence for the one who gave it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def check_headers(headers: Mapping[str, str]) -> None:
    """Raise `RefusedHeader` for a header that `send` would not send."""
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise RefusedHeader("The name of a header has characters that none may have.")
        if name.lower() in _OURS:
            raise RefusedHeader(f"The header {name} is not yours to set.")
        if not _VALUE.fullmatch(value):
            raise RefusedHeader(f"The header {name} has a value that cannot be sent.")
    if len({name.lower() for name in headers}) < len(headers):
        raise RefusedHeader("A header is given twice.")


def headers_to_send(headers: Mapping[str, str]) -> dict[str, str]:
    """All that go out beside Host and Content-Length; raises `RefusedHeader`."""
    check_headers(headers)
    given = {name.lower() for name in headers}
    own = {} if "user-agent" in given else {"User-Agent": f"Celeriac/{VERSION}"}
    # Nothing here unpacks an answer, and each call has a connection of its own.
    return {**own, **headers, "Accept-Encoding": "identity", "Connection": "close"}


def received(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Headers of an answer by lower-case name, on one line each, without control characters."""
    found: dict[str, str] = {}
    for name, value in pairs:
        key, text = name.lower(), _printable(value)
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _printable(value: str) -> str:
    if value.isprintable():
        return value
    return "".join(letter if letter.isprintable() else " " for letter in value)
