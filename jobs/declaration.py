"""The `@job_type` decorator: a function becomes a kind of job."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Concatenate, ParamSpec, TypeVar

from jobs import backoff, duplicates, payload, registry
from jobs.backoff import Backoff
from jobs.context import JobContext
from jobs.exceptions import DeclarationError
from jobs.job_type import (
    DEFAULT_MAX_RETRIES,
    DEFAULT_QUEUE,
    AsConfigured,
    Exceptions,
    JobType,
)
from jobs.limit_key import LimitKey, mistake_in
from jobs.policies import rate
from jobs.policies.circuit import Circuit
from jobs.policies.rate import Rate

P = ParamSpec("P")
R = TypeVar("R")

_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")


def job_type(
    name: str,
    *,
    queue: str = DEFAULT_QUEUE,
    description: str = "",
    max_retries: int = DEFAULT_MAX_RETRIES,
    timeout: int | None = None,
    autoretry_for: Exceptions = (Exception,),
    dont_autoretry_for: Exceptions = (),
    retry_backoff: float | str | Backoff = backoff.DEFAULT,
    retry_backoff_max: float | None = None,
    retry_jitter: float | None = None,
    max_concurrency: int | None = None,
    rate_limit: str | None = None,
    limit_key: LimitKey | None = None,
    key_max_concurrency: int | None = None,
    key_rate_limit: str | None = None,
    circuit: Circuit | None = None,
    retention_days: float | None = None,
    result_retention_hours: float | AsConfigured | None = AsConfigured.YES,
    unique_key: LimitKey | None = None,
    unique_for: float | None = None,
    internal: bool = False,
) -> Callable[[Callable[Concatenate[JobContext, P], R]], JobType[P, R]]:
    """Declare a kind of job.

    `name` is dotted, stable over moves of the code, and what programs and people see.
    `timeout` is in seconds, 1 to 86,400. Exceptions in `autoretry_for` are retried up to
    `max_retries` times, except those in `dont_autoretry_for`. `retry_backoff` is a first delay in
    seconds that doubles, the name of a ready-made policy (`default`, `crawler`, `fixed_30s`,
    `none`), or a `Backoff`; `retry_backoff_max` (seconds) and `retry_jitter` (a share) amend it.

    Limits hold over all workers, and a job that waits for one holds no worker. `max_concurrency`
    and `rate_limit` (`"100/m"`) count all jobs of the type. `limit_key` computes a key from the
    parameters, as a template (`"reddit:{subreddit}"`) or a function of them; of one tenant's jobs
    with the same key, `key_max_concurrency` run at once and `key_rate_limit` start. A `circuit`
    breaker stops a key whose jobs fail in a row. The key is stored in clear: no secrets in it.

    `unique_key` is such a template or function as well: of one tenant's jobs of the type with the
    same key one at a time is active, and a second request gets the first one's job. `unique_for`
    (seconds) keeps the key taken for so long after that job was handed in, though it completed.
    A request may name a key and a time of its own.

    `internal` jobs are the platform's own: no program can ask for one, they belong to no tenant
    that anybody sees, and their queue has workers of its own.

    Ended jobs are kept for `retention_days`, as configured where it is not given; a result can be
    read for `result_retention_hours`, or with None as long as its job is kept.

    Mistakes are refused here, with DeclarationError.
    """

    def declare(function: Callable[Concatenate[JobContext, P], R]) -> JobType[P, R]:
        declared = JobType(
            name=name,
            function=function,
            model=payload.model_of(name, function),
            queue=queue,
            description=description or (function.__doc__ or "").strip().partition("\n")[0],
            max_retries=max_retries,
            backoff=_backoff(retry_backoff, retry_backoff_max, retry_jitter),
            timeout_seconds=timeout,
            autoretry_for=tuple(autoretry_for),
            dont_autoretry_for=tuple(dont_autoretry_for),
            max_concurrency=max_concurrency,
            rate_limit=_rate(name, rate_limit),
            limit_key=limit_key,
            key_max_concurrency=key_max_concurrency,
            key_rate_limit=_rate(name, key_rate_limit),
            circuit=circuit,
            retention_days=retention_days,
            result_retention_hours=result_retention_hours,
            unique_key=unique_key,
            unique_for_seconds=unique_for,
            internal=internal,
        )
        _refuse_mistakes(declared)
        registry.register(declared)
        return declared

    return declare


def _backoff(given: float | str | Backoff, longest: float | None, jitter: float | None) -> Backoff:
    if isinstance(given, str):
        if given not in backoff.POLICIES:
            raise DeclarationError(f"no backoff policy {given!r}: {', '.join(backoff.POLICIES)}")
        given = backoff.POLICIES[given]
    elif not isinstance(given, Backoff):
        given = replace(backoff.DEFAULT, base_seconds=float(given))
    if longest is not None:
        given = replace(given, max_seconds=longest)
    return given if jitter is None else replace(given, jitter=jitter)


def _rate(name: str, text: str | None) -> Rate | None:
    try:
        return rate.parse_or_none(text)
    except ValueError as error:
        raise DeclarationError(f"{name}: {error}") from error


def _refuse_mistakes(declared: JobType[Any, Any]) -> None:
    mistakes = {
        f"the name {declared.name!r} is not of the form app.verb": not _NAME.fullmatch(
            declared.name
        ),
        "max_retries is 0 to 100": not 0 <= declared.max_retries <= 100,
        "timeout is 1 to 86,400 seconds": declared.timeout_seconds is not None
        and not 1 <= declared.timeout_seconds <= 86_400,
        "a backoff is not negative, and its jitter is 0 to 1": not declared.backoff.is_sound,
        "what is retried or not is named by exception classes": not all(
            isinstance(kind, type) and issubclass(kind, BaseException)
            for kind in declared.autoretry_for + declared.dont_autoretry_for
        ),
    }
    mistakes |= (
        _mistaken_retention(declared) | _mistaken_limits(declared) | _mistaken_uniqueness(declared)
    )
    found = [mistake for mistake, made in mistakes.items() if made]
    if found:
        raise DeclarationError(f"{declared.name}: {'; '.join(found)}")


def _mistaken_limits(declared: JobType[Any, Any]) -> dict[str, bool]:
    of_key = (declared.key_max_concurrency, declared.key_rate_limit, declared.circuit)
    at_once = (declared.max_concurrency, declared.key_max_concurrency)
    parameters = set(declared.model.model_fields)
    wrong_key = declared.limit_key and mistake_in(declared.limit_key, parameters)
    return {
        "a concurrency limit is at least 1": any(most is not None and most < 1 for most in at_once),
        "limits of a key need a limit_key": declared.limit_key is None and any(of_key),
        "a circuit breaker has at least one failure and 1 to 86,400 seconds": bool(
            declared.circuit and not declared.circuit.is_sound
        ),
        str(wrong_key): bool(wrong_key),
    }


def _mistaken_uniqueness(declared: JobType[Any, Any]) -> dict[str, bool]:
    key, seconds = declared.unique_key, declared.unique_for_seconds
    parameters = set(declared.model.model_fields)
    wrong_key = key and mistake_in(key, parameters, option="unique_key")
    return {
        "unique_for is above 0 and at most a year": seconds is not None
        and not 0 < seconds <= duplicates.MAX_SECONDS,
        str(wrong_key): bool(wrong_key),
    }


def _mistaken_retention(declared: JobType[Any, Any]) -> dict[str, bool]:
    given = (declared.retention_days, declared.result_retention_hours)
    times = [time for time in given if isinstance(time, float | int)]
    return {"a retention is 0 or more": not all(time >= 0 for time in times)}
