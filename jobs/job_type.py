"""What is known of a kind of job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property, lru_cache
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
    from jobs.batches import HandedIn
    from jobs.enqueue import JobRequest
    from jobs.models import Job
    from jobs.options import JobOptions

P = ParamSpec("P")
R = TypeVar("R")
Exceptions = tuple[type[BaseException], ...]

DEFAULT_QUEUE = "default"
DEFAULT_MAX_RETRIES = 3


class AsConfigured(Enum):
    """Says that the type leaves it to the settings, where None has another meaning."""

    YES = "as configured"


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
    retention_days: float | None = None  # of its ended jobs; None: as configured
    result_retention_hours: float | AsConfigured | None = AsConfigured.YES  # None: as the job
    unique_key: LimitKey | None = None  # where a request names none
    unique_for_seconds: float | None = None
    internal: bool = False  # the platform's own: no program can ask for such jobs

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

    def enqueue_batch(
        self,
        *,
        tenant: Tenant | str,
        items: Sequence[Mapping[str, Any]],
        name: str = "",
        on_complete: JobRequest | None = None,
        on_failure: JobRequest | None = None,
        atomic: bool = False,
        **options: Any,
    ) -> HandedIn:
        """Hand in a batch of jobs of this type, one for each of `items`, all with these options.

        See `jobs.batches.hand_in` for what a batch promises.
        """
        from jobs.batches import hand_in
        from jobs.enqueue import JobOptions, JobRequest

        given = JobOptions(**options)
        return hand_in(
            tenant,
            [JobRequest(type_name=self.name, payload=item, options=given) for item in items],
            name=name,
            on_complete=on_complete,
            on_failure=on_failure,
            atomic=atomic,
            owner=given.owner,
            created_by=given.created_by,
        )

    def schedule(self, cron_expression: str, *, name: str = "", **fields: Any) -> None:
        """Have jobs of this type handed in again and again: five fields of cron, `@daily` and its
        like, or `@every 30m`. Say it beside the type; `manage.py schedules sync` and each start of
        beat make it a schedule, of tenant `default` if no other `tenant` is named.

        `name` is the type's if it is left out; `fields` are those of `DeclaredSchedule`. What beat
        would not understand is told by `manage.py check`.
        """
        from jobs.recurring import DeclaredSchedule, declare

        named = name or self.name
        declare(
            DeclaredSchedule(type=self.name, cron_expression=cron_expression, name=named, **fields)
        )

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
        return self._key(self.limit_key, stored, "limit key")[: limit_key.MAX_LENGTH]

    def unique_key_of(self, stored: Mapping[str, Any]) -> str:
        """The unique key of a job of this payload; empty where the type names none.

        Raises InvalidPayload where it cannot be computed, or is longer than a key may be.
        """
        if self.unique_key is None:
            return ""
        key = self._key(self.unique_key, stored, "unique key")
        if len(key) > limit_key.MAX_LENGTH:  # shortened it would be another job's key
            raise InvalidPayload([FieldError("", "makes a unique key that is too long")])
        return key

    def _key(self, of: LimitKey, stored: Mapping[str, Any], name: str) -> str:
        try:
            return limit_key.whole(of, self.arguments(stored))
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            raise InvalidPayload([FieldError("", f"has no {name}: {error}")]) from error

    def without(self, names: frozenset[str]) -> JobType[P, R]:
        """The same for a payload in which these parameters are not known yet."""
        return _without(self, names) if names else self

    def takes(self, name: str) -> bool:
        """Whether there is a parameter of this name."""
        return name in self.model.model_fields or self.model.model_config.get("extra") == "allow"

    def keeps_apart(self, name: str) -> bool:
        """Whether a parameter may hold a secret or a file."""
        return payload.keeps_apart(self.model, name)

    def payload_schema(self) -> dict[str, Any]:
        """JSON Schema of the payload."""
        return self.model.model_json_schema()

    @staticmethod
    def masked(stored: Mapping[str, Any]) -> dict[str, Any]:
        """A stored payload with `***` for its secrets."""
        shown: dict[str, Any] = masked(dict(stored))
        return shown


@lru_cache(maxsize=512)
def _without(job_type: JobType[Any, Any], names: frozenset[str]) -> JobType[Any, Any]:
    return replace(job_type, model=payload.model_without(job_type.model, names))
