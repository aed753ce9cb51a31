"""What the calls take. Each model is checked against a request and published in the schema."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from accounts.api.refusals import FieldRefusal, Unprocessable
from jobs import backoff, priorities
from jobs.api import moment
from jobs.api.documents import JobDocument
from jobs.duplicates import OnDuplicate
from jobs.exceptions import pointer
from jobs.models import OnFailure

_TEN_YEARS = 315_360_000  # seconds

B = TypeVar("B", bound="Body")
V = TypeVar("V")


class Body(BaseModel):
    """Only the fields that are named, only of the types that are named."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def body_of(model: type[B], request: Request) -> B:
    """The request's body. Raises ParseError where there is none, Unprocessable with every fault."""
    if not request.stream:
        raise ParseError("The body is not strict JSON: it is empty.")
    return checked(model, request.data)


def optional_body_of(model: type[B], request: Request) -> B:
    """As `body_of`; no body at all is an empty object."""
    return body_of(model, request) if request.stream else checked(model, {})


def checked(model: type[B], data: Any) -> B:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise Unprocessable(refusals_in(error)) from None


def refusals_in(error: ValidationError) -> list[FieldRefusal]:
    return [_refusal(one) for one in error.errors(include_url=False)]


def _refusal(error: ErrorDetails) -> FieldRefusal:
    place = pointer(*error["loc"])
    if error["type"] != "extra_forbidden":
        return FieldRefusal(place, error["msg"])
    read_only = error["loc"][-1] in JobDocument.model_fields
    return FieldRefusal(place, "read-only field" if read_only else "unknown field")


def _saying(parse: Callable[[Any], V]) -> Callable[[Any], V]:
    """`parse`, its ValueError's message told to the caller as it is; null passes."""

    def checked_value(value: Any) -> V:
        try:
            return parse(value)
        except ValueError as error:
            raise PydanticCustomError("rule", "{reason}", {"reason": str(error)}) from None

    return checked_value


def _id(value: object) -> UUID:
    if isinstance(value, str) and len(value) == 36:
        return UUID(value)
    raise ValueError("an id is a UUID")


def _not_yet(value: object) -> None:
    raise ValueError("webhooks are not available yet")


Moment = Annotated[
    datetime,
    BeforeValidator(_saying(moment.parsed)),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
JobId = Annotated[
    UUID, BeforeValidator(_saying(_id)), WithJsonSchema({"type": "string", "format": "uuid"})
]
Priority = Annotated[
    int,
    BeforeValidator(_saying(priorities.parse)),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": priorities.LOWEST, "maximum": priorities.HIGHEST},
                {"type": "string", "enum": list(priorities.NAMED)},
            ]
        }
    ),
]
NotYet = Annotated[None, BeforeValidator(_saying(_not_yet))]


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
    delay_seconds: Annotated[float, Field(ge=0)] | None = None
    expires_at: Moment | None = None
    max_retries: int | None = None
    retry_backoff: RetryBackoff | None = None
    timeout_seconds: int | None = None
    unique_key: str | None = None
    unique_for_seconds: float | None = None
    on_duplicate: Annotated[OnDuplicate, Field(strict=False)] = OnDuplicate.EXISTING
    debounce_seconds: float | None = None
    debounce_max_seconds: float | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    depends_on: Annotated[list[Edge], Field(max_length=1000)] = Field(default_factory=list)
    webhook_url: NotYet | None = None
    estimated_duration_seconds: Annotated[int, Field(ge=0, le=_TEN_YEARS)] | None = None
    owner: str | None = None

    @property
    def may_replace(self) -> bool:
        """Whether it may take the place of a job that waits."""
        return self.on_duplicate == OnDuplicate.REPLACE or self.debounce_seconds is not None


class NewJob(HowToRun, _What):
    """A job to be done. What is left out is decided by its type and the tenant's plan."""


_LEFT_OUT: Any = None  # what `model_fields_set` tells apart from any value


class Edit(Body):
    """What a waiting or failed job is given anew. What is left out stays."""

    priority: Priority = _LEFT_OUT
    run_at: Moment | None = None
    payload: dict[str, Any] = _LEFT_OUT
    labels: dict[str, str] = _LEFT_OUT
    max_retries: int = _LEFT_OUT

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
