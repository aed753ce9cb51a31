"""What is known of a kind of job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar
from uuid import UUID

from pydantic import BaseModel

from jobs import backoff, limit_key, payload
from jobs.backoff import Backoff
from jobs.context import JobContext
from jobs.exceptions import FieldError, InvalidPayload
from jobs.files.input_file import NamedFiles
from jobs.limit_key import LimitKey
from jobs.policies.circuit import Circuit
from jobs.policies.rate import Rate
from jobs.secret import masked

if TYPE_CHECKING:
    from accounts.models import Tenant
    from jobs.models import Job
    from jobs.options import JobOptions

P = ParamSpec("P")
R = TypeVar("R")
Exceptions = tuple[type[BaseException], ...]

DEFAULT_QUEUE = "default"
DEFAULT_MAX_RETRIES = 3


@dataclass(frozen=True, kw_only=True)
class JobType(Generic[P, R]):
    """A kind of job, made by `@job_type`. Calling it runs the function at once, as any function."""

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
    max_concurrency: int | None = None  # of all its jobs, over all workers
    rate_limit: Rate | None = None
    limit_key: LimitKey | None = None
    key_max_concurrency: int | None = None  # of the jobs of one tenant and key
    key_rate_limit: Rate | None = None
    circuit: Circuit | None = None  # of each key

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

    @cached_property
    def takes_files(self) -> bool:
        """Whether a payload of this type may name files."""
        return payload.takes_files(self.model)

    def validated(
        self, given: Mapping[str, Any], files: NamedFiles | None = None
    ) -> dict[str, Any]:
        """The payload as it is stored; raises InvalidPayload or PayloadTooLarge.

        Without `files` it may name none: `jobs.files.references` is who looks whose they are.
        """
        return payload.validated(self.model, given, files)

    def named_files(self, stored: Mapping[str, Any]) -> set[UUID]:
        """The ids of the files that a stored payload names."""
        return payload.named_files(self.model, stored)

    def arguments(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """Keyword arguments of the function from a stored payload; raises InvalidPayload."""
        return payload.arguments(self.model, stored)

    def limit_key_of(self, stored: Mapping[str, Any]) -> str:
        """Which jobs share limits with one of this payload; empty where the type names no key.

        Raises InvalidPayload where the key cannot be computed.
        """
        if self.limit_key is None:
            return ""
        try:
            return limit_key.computed(self.limit_key, self.arguments(stored))
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            raise InvalidPayload([FieldError("", f"has no limit key: {error}")]) from error

    def payload_schema(self) -> dict[str, Any]:
        """JSON Schema of the payload."""
        return self.model.model_json_schema()

    @staticmethod
    def masked(stored: Mapping[str, Any]) -> dict[str, Any]:
        """A stored payload with `***` for its secrets."""
        shown: dict[str, Any] = masked(dict(stored))
        return shown
