"""What the calls take. Each model is checked against a request and published in the schema."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from accounts.api import bodies
from accounts.api.bodies import Moment, body_of, checked, optional_body_of, saying
from accounts.api.refusals import FieldRefusal
from jobs import backoff, priorities
from jobs.api.bounds import Delay, Labels, Retries, ShortText, Stretch, Timeout
from jobs.api.documents import JobDocument
from jobs.duplicates import OnDuplicate
from jobs.models import OnFailure
from jobs.webhook_url import MOST_CHARACTERS, Judge

__all__ = ["Moment", "body_of", "checked", "optional_body_of"]

_TEN_YEARS = 315_360_000  # seconds


class Body(bodies.Body):
    """The same, of the calls about jobs."""

    read_only = frozenset(JobDocument.model_fields)


def refusals_in(error: ValidationError) -> list[FieldRefusal]:
    return bodies.refusals_in(error, Body.read_only)


def _id(value: object) -> UUID:
    if isinstance(value, str) and len(value) == 36:
        return UUID(value)
    raise ValueError("an id is a UUID")


JobId = Annotated[
    UUID, BeforeValidator(saying(_id)), WithJsonSchema({"type": "string", "format": "uuid"})
]
Priority = Annotated[
    int,
    BeforeValidator(saying(priorities.parse)),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": priorities.LOWEST, "maximum": priorities.HIGHEST},
                {"type": "string", "enum": list(priorities.NAMED)},
            ]
        }
    ),
]
# What it may be is told when the job is handed in, so that a name is looked up once a call.
WebhookURL = Annotated[
    str,
    Field(
        json_schema_extra={
            "format": "uri",
            "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://",
            "maxLength": MOST_CHARACTERS,
        }
    ),
]


def _or_name(schema: dict[str, Any]) -> None:
    whole = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": "string", "enum": list(backoff.POLICIES)}, whole]


class RetryBackoff(Body):
    """How long a failed attempt waits: base x factor^n seconds, capped, spread by jitter; or the
    name of a ready-made policy."""

    model_config = ConfigDict(json_schema_extra=_or_name)

    base_seconds: Annotated[float, Field(ge=0, le=_TEN_YEARS)] = 120
    factor: Annotated[float, Field(ge=1, le=100)] = 2
    max_seconds: Annotated[float, Field(ge=0, le=_TEN_YEARS)] = 1800
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.1

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        if given not in backoff.POLICIES:
            names = ", ".join(backoff.POLICIES)
            raise PydanticCustomError("rule", "one of {names}", {"names": names})
        return asdict(backoff.POLICIES[given])


def _or_id(schema: dict[str, Any]) -> None:
    whole = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": "string", "format": "uuid"}, whole]


class Edge(Body):
    """A job to wait for, and what its failure means. The id alone stands for `cancel`."""

    model_config = ConfigDict(json_schema_extra=_or_id)

    job_id: JobId
    on_failure: Annotated[OnFailure, Field(strict=False)] = OnFailure.CANCEL

    @model_validator(mode="before")
    @classmethod
    def _from_id(cls, given: Any) -> Any:
        return {"job_id": given} if isinstance(given, str) else given


class _What(Body):
    type: str
    payload: dict[str, Any]


class HowToRun(Body):
    """What may be left out of a job, and is then decided by its type and the tenant's plan."""

    queue: str | None = None
    priority: Priority | None = None
    run_at: Moment | None = None
    delay_seconds: Delay | None = None
    expires_at: Moment | None = None
    max_retries: Retries | None = None
    retry_backoff: RetryBackoff | None = None
    timeout_seconds: Timeout | None = None
    unique_key: ShortText | None = None
    unique_for_seconds: Stretch | None = None
    on_duplicate: Annotated[OnDuplicate, Field(strict=False)] = OnDuplicate.EXISTING
    debounce_seconds: Stretch | None = None
    debounce_max_seconds: Stretch | None = None
    labels: Labels = Field(default_factory=dict)
    depends_on: Annotated[list[Edge], Field(max_length=1000)] = Field(default_factory=list)
    webhook_url: WebhookURL | None = None
    estimated_duration_seconds: Annotated[int, Field(ge=0, le=_TEN_YEARS)] | None = None
    owner: ShortText | None = None

    @property
    def may_replace(self) -> bool:
        """Whether it may take the place of a job that waits."""
        return self.on_duplicate == OnDuplicate.REPLACE or self.debounce_seconds is not None

    def judged(self, judge: Judge | None = None) -> Self:
        """The same, its URLs looked at: to be done before anything is locked."""
        if self.webhook_url is None:
            return self
        url = (judge or Judge())(self.webhook_url)
        return self.model_copy(update={"webhook_url": url})


class NewJob(HowToRun, _What):
    """A job to be done. What is left out is decided by its type and the tenant's plan."""


_LEFT_OUT: Any = None  # what `model_fields_set` tells apart from any value


class Edit(Body):
    """What a waiting or failed job is given anew. What is left out stays."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    priority: Priority = _LEFT_OUT
    run_at: Moment | None = None
    payload: dict[str, Any] = _LEFT_OUT
    labels: Labels = _LEFT_OUT
    max_retries: Retries = _LEFT_OUT

    @model_validator(mode="after")
    def _something(self) -> Edit:
        if not self.model_fields_set:
            raise PydanticCustomError("rule", "names no field to change")
        return self

    @property
    def changes(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.model_fields_set}


class Retry(Body):
    payload: dict[str, Any] | None = None


class Boost(Body):
    boost: Annotated[int, Field(ge=1, le=priorities.HIGHEST)]
