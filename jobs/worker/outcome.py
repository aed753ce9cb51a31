"""What an attempt came to, from its return value or its exception. Pure."""

from __future__ import annotations

import traceback
from collections.abc import Collection
from dataclasses import dataclass
from random import Random
from typing import Any

from jobs.artifacts.stored import Stored
from jobs.backoff import Backoff
from jobs.control import (
    Cancel,
    CancelRequested,
    LeaseLost,
    RateLimited,
    Retry,
    ShuttingDown,
    Snooze,
    Terminated,
    TimedOut,
)
from jobs.exceptions import FileGone
from jobs.fingerprint import frames_of
from jobs.limit_key import MAX_LENGTH

MAX_MESSAGE, MAX_TRACEBACK = 8_000, 16_000
LONGEST_LIMIT_SECONDS = 86_400.0
MAX_DELAY_SECONDS = 3650 * 86_400.0  # the database's timestamps end somewhere


@dataclass(frozen=True, kw_only=True)
class Completed:
    """`stored`: the result, where it is too large for the row; `result` is None then."""

    result: Any
    stored: Stored | None = None


@dataclass(frozen=True, kw_only=True)
class Failed:
    error: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RetryLater:
    error: dict[str, Any]
    delay_seconds: float


@dataclass(frozen=True, kw_only=True)
class Snoozed:
    delay_seconds: float


@dataclass(frozen=True, kw_only=True)
class Limited:
    """Snoozed, and with it all jobs of `key` (None: the job's own, if it has one)."""

    delay_seconds: float
    key: str | None


@dataclass(frozen=True, kw_only=True)
class Released:
    error: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    error: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class Lost:
    """Somebody else may hold the job: nothing is to be written."""


Outcome = Completed | Failed | RetryLater | Snoozed | Limited | Released | Cancelled | Lost


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """When a failed attempt is followed by another."""

    backoff: Backoff
    retry_count: int
    max_retries: int
    autoretry_for: tuple[type[BaseException], ...] = (Exception,)
    dont_autoretry_for: tuple[type[BaseException], ...] = ()


def classify(
    exception: BaseException,
    policy: RetryPolicy,
    *,
    random: Random,
    secrets: Collection[str] = (),
) -> Outcome:
    """The outcome of an attempt whose code ended with `exception`.

    `secrets` are texts that may not appear in what is kept of the error.
    """
    error = described(exception, secrets)
    match exception:
        case LeaseLost():
            return Lost()
        case ShuttingDown():
            return Released(error=error)
        case CancelRequested() | Terminated():
            return Cancelled(error=None)
        case Cancel():
            return Cancelled(error=error)
        case Snooze():
            return Snoozed(delay_seconds=_bounded(exception.seconds))
        case RateLimited():
            return limited(exception)
        case Retry():
            return retried(error, policy, random=random, after=exception.after)
        case TimedOut():
            return retried(error, policy, random=random)
        case FileGone():  # it does not come back
            return Failed(error=error)
    if isinstance(exception, policy.dont_autoretry_for):
        return Failed(error=error)
    if isinstance(exception, policy.autoretry_for):
        return retried(error, policy, random=random)
    return Failed(error=error)


def retried(
    error: dict[str, Any], policy: RetryPolicy, *, random: Random, after: float | None = None
) -> RetryLater | Failed:
    """Another attempt later, or the end if the retries are used up."""
    if policy.retry_count >= policy.max_retries:
        return Failed(error=error)
    delay = policy.backoff.delay_seconds(policy.retry_count, random) if after is None else after
    return RetryLater(error=error, delay_seconds=_bounded(delay))


def limited(told: RateLimited) -> Limited:
    key = None if told.key is None else storable(str(told.key))[:MAX_LENGTH]
    return Limited(delay_seconds=min(_bounded(told.seconds), LONGEST_LIMIT_SECONDS), key=key)


def _bounded(seconds: float) -> float:
    """A delay that can be added to a timestamp; not a number is no delay."""
    return min(max(0.0, seconds), MAX_DELAY_SECONDS)


def described(exception: BaseException, secrets: Collection[str] = ()) -> dict[str, Any]:
    """An exception as it is kept on the job: type, message, details, traceback, and the frames by
    which failures are grouped."""
    printed = "".join(traceback.format_exception(exception))
    return {
        "type": type(exception).__qualname__,
        "message": storable(_message(exception), secrets)[:MAX_MESSAGE],
        "details": {},
        "traceback": storable(printed, secrets)[-MAX_TRACEBACK:],
        "frames": [storable(name, secrets) for name in frames_of(exception.__traceback__)],
    }


def _message(exception: BaseException) -> str:
    try:
        return str(exception)
    except Exception as error:  # noqa: BLE001 (`__str__` is job code)
        return f"an error that cannot be printed ({type(error).__qualname__} in its __str__)"


def storable(text: str, secrets: Collection[str] = ()) -> str:
    """Text that PostgreSQL takes (no NUL, no lone surrogate) and that shows no secret."""
    for secret in sorted(secrets, key=len, reverse=True):  # one may begin with another
        # Some exceptions, KeyError for one, show their argument by its repr.
        text = text.replace(secret, "***").replace(repr(secret)[1:-1], "***")
    return text.replace("\x00", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode()
