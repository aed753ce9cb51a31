"""What an endpoint is told to be, and whether that can be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from pydantic_core import PydanticCustomError

from jobs import registry
from jobs.exceptions import FieldError, pointer
from jobs.models import Queue
from jobs.secret import MASK, opened, sealed
from jobs.webhook_url import Judge
from webhooks.exceptions import InvalidEndpoint
from webhooks.models import Endpoint
from webhooks.policies import EventName
from webhooks.retrying import LONGEST_WAIT, MOST_ATTEMPTS

MOST_DESCRIBED = 2_000
MOST_HEADERS = 20
MOST_HEADER_BYTES = 4_096  # names and values together
MOST_NAMES = 100  # types, or queues
_MOST_NAMED = 200  # characters of a name that nobody knows, where it is pointed to
_MOST_UNKNOWN = 10  # such names that are pointed to
_RETRY_FIELDS = frozenset({"max_attempts", "backoff_seconds", "max_seconds"})
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")  # RFC 9110, 5.6.2
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?|")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

# Ours to say, or the connection's, or meant for somebody who is not the receiver, or what makes a
# server take the request for another one. As `_folded`.
_RESERVED = frozenset({
    "accept-encoding", "cf-connecting-ip", "connection", "content-encoding", "content-length",
    "content-range", "content-type", "cookie", "date", "expect", "forwarded", "host",
    "http2-settings", "if-range", "keep-alive", "origin", "proxy-authenticate",
    "proxy-authorization", "proxy-connection", "range", "set-cookie", "te", "trailer",
    "transfer-encoding", "true-client-ip", "upgrade", "user-agent", "via", "x-client-ip",
    "x-http-method", "x-http-method-override", "x-method-override", "x-original-url",
    "x-real-ip", "x-rewrite-url",
})  # fmt: skip
_RESERVED_PREFIXES = ("webhook-", "x-forwarded-", "proxy-", "sec-")


@dataclass(frozen=True, kw_only=True)
class Definition:
    """All that a caller decides. Empty and None: all events, no filter, as configured.

    `headers` maps names to values in clear. `retry` is one of the forms of
    `webhooks.retrying.strategy_of`; seconds.
    """

    url: str = field(repr=False)
    description: str = ""
    events: Sequence[str] = ()
    types: Sequence[str] = ()
    queues: Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_seconds: int | None = None
    retry: Mapping[str, Any] | None = None
    enabled: bool = True


def judged(given: Definition, before: Endpoint | None = None) -> dict[str, Any]:
    """The columns it amounts to, headers sealed; `***` leaves the value that `before` has, where it
    goes to the same host as before. A URL that nobody has `looked_at` is looked at here, so do that
    outside of any transaction. Raises InvalidEndpoint with every broken rule at once."""
    stored = {} if before is None else before.headers
    wrong = [
        *(_wrong_url(given.url) if before is None or given.url != before.url else ()),
        *_wrong_texts(given),
        *_wrong_names(given, before),
        *_wrong_headers(given.headers, stored),
        *_misled_headers(given, before),
        *_wrong_timeout(given.timeout_seconds),
        *_wrong_retry(given.retry),
    ]
    if wrong:
        raise InvalidEndpoint(wrong)
    return {
        "url": str(given.url),
        "description": given.description,
        "events": sorted(set(given.events)),
        "types": sorted(set(given.types)),
        "queues": sorted(set(given.queues)),
        "headers": {
            name: stored[name] if value == MASK else sealed(value)
            for name, value in given.headers.items()
        },
        "timeout_seconds": given.timeout_seconds,
        "retry": None if given.retry is None else dict(given.retry),
    }


def looked_at(url: str) -> str:
    """The same URL, of which `judged` knows whether it may be called. Its name is resolved: here,
    so that no transaction waits for that."""
    return Judge()(url)


def _wrong_url(url: str) -> list[FieldError]:
    refusal = Judge()(url).refusal if url else "is empty"
    return [FieldError("/url", refusal)] if refusal else []


def _wrong_texts(given: Definition) -> list[FieldError]:
    if len(given.description) > MOST_DESCRIBED or _UNSTORABLE.search(given.description):
        text = f"at most {MOST_DESCRIBED:,} characters, none of them NUL"
        return [FieldError("/description", text)]
    return []


def _wrong_names(given: Definition, before: Endpoint | None) -> list[FieldError]:
    """What it names already may stay, though it is there no longer."""
    known = {
        "events": set(EventName.values),
        "types": {one.name for one in registry.all() if not one.internal},
        "queues": set(Queue.objects.filter(internal=False).values_list("name", flat=True)),
    }
    wrong = []
    for name, there in known.items():
        given_names: Sequence[str] = getattr(given, name)
        all_known = there.union(getattr(before, name, ()))
        if len(given_names) > MOST_NAMES:
            wrong.append(FieldError(f"/{name}", f"at most {MOST_NAMES}"))
            continue
        wrong += [
            FieldError(pointer(name, index), "is unknown")
            for index, one in enumerate(given_names)
            if one not in all_known
        ]
    return wrong


def _wrong_headers(given: Mapping[str, str], stored: Mapping[str, str]) -> list[FieldError]:
    if len(given) > MOST_HEADERS:
        return [FieldError("/headers", f"at most {MOST_HEADERS}")]
    sizes = [len(name) + _size(name, value, stored) for name, value in given.items()]
    if sum(sizes) > MOST_HEADER_BYTES:
        return [FieldError("/headers", f"at most {MOST_HEADER_BYTES:,} characters in all")]
    if len({_folded(name) for name in given}) < len(given):
        return [FieldError("/headers", "the same name twice")]
    found = [(name, _wrong_header(name, value, stored)) for name, value in given.items()]
    return [
        FieldError(pointer("headers", name[:_MOST_NAMED]), text) for name, text in found if text
    ]


def _size(name: str, value: str, stored: Mapping[str, str]) -> int:
    if value != MASK or name not in stored:
        return len(value)
    try:
        return len(opened(stored[name]))
    except PydanticCustomError:  # sealed under a key of former days: it cannot be sent either
        return len(value)


def _folded(name: str) -> str:
    """As a receiver may read it: to CGI and its kin `_` and `-` are the same."""
    return name.lower().replace("_", "-")


def _misled_headers(given: Definition, before: Endpoint | None) -> list[FieldError]:
    """Who may write a URL may not read what others wrote into the headers: so nothing that is
    stored goes to another host."""
    if before is None or _place(given.url) in (None, _place(before.url)):
        return []
    return [
        FieldError(pointer("headers", name), "give the value again for a new host")
        for name, value in given.headers.items()
        if value == MASK and name in before.headers
    ]


def _place(url: str) -> tuple[str, str, int] | None:
    """Whom it calls, and whether in clear; None where it cannot be read, which is said at /url."""
    from jobs import egress  # what it needs is large

    try:
        target = egress.parse(url)
    except egress.RefusedURL:
        return None
    return target.scheme, target.host, target.port


def _wrong_header(name: str, value: str, stored: Mapping[str, str]) -> str:
    folded = _folded(name)
    if not _TOKEN.fullmatch(name):
        return "is no name of a header"
    if folded in _RESERVED or folded.startswith(_RESERVED_PREFIXES):
        return "is not yours to set"
    if value == MASK and name not in stored:
        return "is '***', which only stands for a secret; give the value itself"
    return "" if _VALUE.fullmatch(value) else "printable ASCII, without spaces around it"


def _wrong_timeout(seconds: int | None) -> list[FieldError]:
    longest = settings.WEBHOOK_TIMEOUT_LONGEST
    if seconds is None or 1 <= seconds <= longest:
        return []
    return [FieldError("/timeout_seconds", f"must be 1 to {longest}")]


def _wrong_retry(retry: Mapping[str, Any] | None) -> list[FieldError]:
    if retry is None:
        return []
    if "schedule" in retry:
        return _wrong_schedule(retry)
    unknown = sorted(set(retry) - _RETRY_FIELDS)[:_MOST_UNKNOWN]
    wrong = [FieldError(pointer("retry", one[:_MOST_NAMED]), "is unknown") for one in unknown]
    bounds = {"max_attempts": (1, MOST_ATTEMPTS), "backoff_seconds": (0, LONGEST_WAIT)}
    for name, (low, high) in {**bounds, "max_seconds": (1, LONGEST_WAIT)}.items():
        value = retry.get(name, low)
        if not _is_number(value) or not low <= value <= high:
            wrong.append(FieldError(f"/retry/{name}", f"must be {low} to {high:,}"))
    if not isinstance(retry.get("max_attempts", 1), int):
        wrong.append(FieldError("/retry/max_attempts", "is a whole number"))
    return wrong


def _wrong_schedule(retry: Mapping[str, Any]) -> list[FieldError]:
    waits = retry["schedule"]
    if set(retry) != {"schedule"}:
        return [FieldError("/retry", "schedule stands alone")]
    if not isinstance(waits, list | tuple) or len(waits) > MOST_ATTEMPTS - 1:
        return [FieldError("/retry/schedule", f"at most {MOST_ATTEMPTS - 1} waits")]
    return [
        FieldError(f"/retry/schedule/{index}", f"must be 0 to {LONGEST_WAIT:,} seconds")
        for index, wait in enumerate(waits)
        if not _is_number(wait) or not 0 <= wait <= LONGEST_WAIT
    ]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
