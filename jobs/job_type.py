"""The `@job_type` decorator: a function becomes a kind of job."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

from pydantic import BaseModel

from jobs import backoff, payload
from jobs.backoff import Backoff
from jobs.context import JobContext
from jobs.exceptions import DeclarationError
from jobs.secret import masked

if TYPE_CHECKING:
    from accounts.models import Tenant
    from jobs.enqueue import JobOptions
    from jobs.models import Job

P = ParamSpec("P")
R = TypeVar("R")
Exceptions = tuple[type[BaseException], ...]

DEFAULT_QUEUE = "default"
DEFAULT_MAX_RETRIES = 3
_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")


@dataclass(frozen=True, kw_only=True)
class JobType(Generic[P, R]):
    """What is known of a kind of job. Calling it runs the function at once, as any function."""

    name: str
    function: Callable[Concatenate[JobContext, P], R]
    model: type[BaseModel]
    queue: str = DEFAULT_QUEUE
    description: str = ""
    max_retries: int = DEFAULT_MAX_RETRIES
    backoff: Backoff = backoff.DEFAULT
    timeout_seconds: int | None = None  # None: JOB_TIMEOUT_SECONDS
    autoretry_for: Exceptions = (Exception,)
    dont_autoretry_for: Exceptions = ()

    @property
    def origin(self) -> str:
        return f"{self.function.__module__}.{self.function.__qualname__}"

    def __call__(self, context: JobContext, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(context, *args, **kwargs)

    def enqueue(self, *, tenant: Tenant | str, **options_and_parameters: Any) -> Job:
        """Hand in a job of this type, in the caller's transaction; it is durable once that commits.

        Options of `JobOptions` (priority, run_at, unique_key …) and the function's parameters
        share one list of keywords; where both know a name it is the parameter, and the option is
        set by `with_options`. Returns the job, or the active one that holds the unique key.
        """
        from jobs.enqueue import enqueue_by_keywords  # needs models, which load after this module

        return enqueue_by_keywords(self, tenant, options_and_parameters)

    def with_options(self, options: JobOptions, *, tenant: Tenant | str, **parameters: Any) -> Job:
        """As `enqueue`, with the options in one value."""
        from jobs.enqueue import enqueue, tenant_of

        return enqueue(tenant_of(tenant), self.name, parameters, options).job

    def validated(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The payload as it is stored; raises InvalidPayload or PayloadTooLarge."""
        return payload.validated(self.model, given)

    def arguments(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """Keyword arguments of the function from a stored payload; raises InvalidPayload."""
        return payload.arguments(self.model, stored)

    def payload_schema(self) -> dict[str, Any]:
        """JSON Schema of the payload."""
        return self.model.model_json_schema()

    @staticmethod
    def masked(stored: Mapping[str, Any]) -> dict[str, Any]:
        """A stored payload with `***` for its secrets."""
        shown: dict[str, Any] = masked(dict(stored))
        return shown


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
) -> Callable[[Callable[Concatenate[JobContext, P], R]], JobType[P, R]]:
    """Declare a kind of job.

    `name` is dotted, stable over moves of the code, and what programs and people see.
    `timeout` is in seconds, 1 to 86,400. Exceptions in `autoretry_for` are retried up to
    `max_retries` times, except those in `dont_autoretry_for`. `retry_backoff` is a first delay in
    seconds that doubles, the name of a ready-made policy (`default`, `crawler`, `fixed_30s`,
    `none`), or a `Backoff`; `retry_backoff_max` (seconds) and `retry_jitter` (a share) amend it.

    Mistakes are refused here, with DeclarationError.
    """

    def declare(function: Callable[Concatenate[JobContext, P], R]) -> JobType[P, R]:
        from jobs import registry

        declared = JobType(
            name=name,
            function=function,
            model=payload.model_of(name, function),
            queue=queue,
            description=description or (function.__doc__ or "").strip().partition("\n")[0],
            max_retries=max_retries,
            backoff=_backoff(retry_backoff, retry_backoff_max, retry_jitter),
            timeout_seconds=timeout,
            autoretry_for=autoretry_for,
            dont_autoretry_for=dont_autoretry_for,
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


def _refuse_mistakes(declared: JobType[Any, Any]) -> None:
    mistakes = {
        f"the name {declared.name!r} is not of the form app.verb": not _NAME.fullmatch(
            declared.name
        ),
        "max_retries is 0 to 100": not 0 <= declared.max_retries <= 100,
        "timeout is 1 to 86,400 seconds": declared.timeout_seconds is not None
        and not 1 <= declared.timeout_seconds <= 86_400,
        "a backoff is not negative, and its jitter is 0 to 1": declared.backoff.base_seconds < 0
        or declared.backoff.max_seconds < 0
        or not 0 <= declared.backoff.jitter <= 1,
    }
    found = [mistake for mistake, made in mistakes.items() if made]
    if found:
        raise DeclarationError(f"{declared.name}: {'; '.join(found)}")
