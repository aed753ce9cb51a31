"""What an attempt came to, from its return value or its exception. Pure."""

from __future__ import annotations

import traceback
from collections.abc import Collection
from dataclasses import dataclass
from random import Random
from typing import Any

from jobs.backoff import Backoff
from jobs.control import (
    Cancel,
    CancelRequested,
    LeaseLost,
    Retry,
    ShuttingDown,
    Snooze,
    Terminated,
    TimedOut,
)

MAX_MESSAGE, MAX_TRACEBACK = 8_000, 16_000


@dataclass(frozen=True, kw_only=True)
class Completed:
    result: Any


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
class Released:
    error: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    error: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class Lost:
    """Somebody else may hold the job: nothing is to be written."""


Outcome = Completed | Failed | RetryLater | Snoozed | Released | Cancelled | Lost


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
            return Snoozed(delay_seconds=max(0.0, exception.seconds))
        case Retry():
            return retried(error, policy, random=random, after=exception.after)
        case TimedOut():
            return retried(error, policy, random=random)
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
    return RetryLater(error=error, delay_seconds=max(0.0, delay))


def described(exception: BaseException, secrets: Collection[str] = ()) -> dict[str, Any]:
    """An exception as it is kept on the job: type, message, details, traceback."""
    frames = "".join(traceback.format_exception(exception))
    return {
        "type": type(exception).__qualname__,
        "message": storable(str(exception), secrets)[:MAX_MESSAGE],
        "details": {},
        "traceback": storable(frames, secrets)[-MAX_TRACEBACK:],
    }


def storable(text: str, secrets: Collection[str] = ()) -> str:
    """Text that PostgreSQL takes (no NUL, no lone surrogate) and that shows no secret."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return text.replace("\x00", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode()
