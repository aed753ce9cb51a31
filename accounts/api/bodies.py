"""How a body is checked against a model, and what its faults are called."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema
from pydantic_core import ErrorDetails, PydanticCustomError
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from accounts.api import moment
from accounts.api.refusals import FieldRefusal, Unprocessable
from accounts.pointer import pointer

B = TypeVar("B", bound="Body")
V = TypeVar("V")


class Body(BaseModel):
    """Only the fields that are named, only of the types that are named. `read_only` are fields that
    answers have and no body may."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    read_only: ClassVar[Collection[str]] = frozenset()


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
        raise Unprocessable(refusals_in(error, model.read_only)) from None


def refusals_in(error: ValidationError, read_only: Collection[str]) -> list[FieldRefusal]:
    return [_refusal(one, read_only) for one in error.errors(include_url=False)]


def _refusal(error: ErrorDetails, read_only: Collection[str]) -> FieldRefusal:
    place = pointer(*error["loc"])
    if error["type"] != "extra_forbidden":
        return FieldRefusal(place, error["msg"])
    known = error["loc"][-1] in read_only
    return FieldRefusal(place, "read-only field" if known else "unknown field")


def saying(parse: Callable[[Any], V]) -> Callable[[Any], V]:
    """`parse`, its ValueError's message told to the caller as it is; null passes."""

    def checked_value(value: Any) -> V:
        try:
            return parse(value)
        except ValueError as error:
            raise PydanticCustomError("rule", "{reason}", {"reason": str(error)}) from None

    return checked_value


Moment = Annotated[
    datetime,
    BeforeValidator(saying(moment.parsed)),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
