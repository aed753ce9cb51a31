"""The URL that a job's end is told to: looked at once, and before anything is locked.

Whether a URL may be told hangs on what its name resolves to, and that takes time. So whoever hands
in jobs has their URLs judged first, outside of any transaction; what comes later only reads the
verdict. It is no promise: at each delivery `jobs.egress` looks again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from jobs.exceptions import FieldError

if TYPE_CHECKING:
    from jobs.enqueue import JobRequest
    from jobs.workflows import Step

R = TypeVar("R", "JobRequest", "Step")

MOST_CHARACTERS = 2_048
LONGEST_SECONDS = 10.0  # for the URLs of one call together
_TOO_LONG = "The names in this call's webhooks take too long to look up. Send fewer at once."


class Judged(str):
    """A URL that was looked at; `refusal` says why it is not taken, and is empty where it is."""

    refusal: str

    def __new__(cls, url: str, *, refusal: str = "") -> Judged:
        judged = super().__new__(cls, url)
        judged.refusal = refusal
        return judged


class Judge:
    """Looks at the URLs of one call, each of them once, for LONGEST_SECONDS in all."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left = LONGEST_SECONDS
        self._known: dict[str, Judged] = {}

    def __call__(self, url: str) -> Judged:
        if isinstance(url, Judged):
            return url
        if url not in self._known:
            self._known[url] = self._look(url)
        return self._known[url]

    def _look(self, url: str) -> Judged:
        if not url:
            return Judged("")
        if self._left <= 0:
            return Judged(url, refusal=_TOO_LONG)
        began = self._clock()
        refusal = _refusal(url)
        self._left -= self._clock() - began
        return Judged(url, refusal=refusal)


def _refusal(url: str) -> str:
    from jobs import egress  # what it needs is large, and few processes hand in a URL

    try:
        egress.check_url(url)
    except egress.RefusedURL as error:
        return str(error.reason)
    return ""


def judged(asked: Iterable[R], judge: Judge | None = None) -> list[R]:
    """The same requests, their URLs looked at."""
    judge = judge or Judge()
    return [_judged(one, judge) if one.options.webhook_url else one for one in asked]


def _judged(one: R, judge: Judge) -> R:
    options = replace(one.options, webhook_url=judge(one.options.webhook_url))
    return replace(one, options=options)


def as_stored(url: str) -> Judged:
    """One that was judged when it was saved, and is not looked at again."""
    return Judged(url)


def mistakes_in(url: str) -> list[FieldError]:
    """Why it is not taken. One that nobody has looked at is looked at here."""
    refusal = Judge()(url).refusal if url else ""
    return [FieldError("/webhook_url", refusal)] if refusal else []


def without_path(url: str) -> str:
    """For the audit trail and the log: its path and query may hold a secret."""
    start, slashes, rest = url.partition("://")
    host = rest.partition("?")[0].partition("#")[0].partition("/")[0]
    return f"{start}{slashes}{host}/…" if host else ""


def outcome(*, delivered: bool | None, attempts: int) -> str:
    """`delivered, 2 requests`: whether what was to be told arrived, and what that took."""
    state = {True: "delivered", False: "not delivered", None: "pending"}[delivered]
    return f"{state}, {attempts} {'request' if attempts == 1 else 'requests'}"
