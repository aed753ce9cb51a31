"""From a job function's signature to a validated, sealed, stored payload, and back.

The signature is the schema: `def render(context, *, report_id: int, token: Secret[str])` takes
exactly `report_id` and `token`. A last `**payload: Any` takes any further keys.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, get_type_hints
from uuid import UUID

from django.db.models import Model
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic_core import PydanticSerializationError

from jobs.exceptions import (
    DeclarationError,
    FieldError,
    InvalidPayload,
    PayloadTooLarge,
    pointer,
)
from jobs.files.input_file import MARK, NAMED, NamedFiles, is_stored_file
from jobs.secret import UNSEAL

MAX_BYTES = 256 * 1024

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def model_of(name: str, function: Callable[..., Any]) -> type[BaseModel]:
    """The pydantic model of a job function's parameters. Raises DeclarationError."""
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].kind not in _POSITIONAL:
        raise DeclarationError(f"{name}: the first parameter must be the context")
    hints = get_type_hints(function, include_extras=True)
    extra: Literal["allow", "forbid"] = "forbid"
    fields: dict[str, Any] = {}
    for parameter in parameters[1:]:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            extra = "allow"
        elif parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            raise DeclarationError(
                f"{name}: parameter {parameter.name!r} must be keyword-only (put it after `*`)"
            )
        elif parameter.name not in hints:
            raise DeclarationError(f"{name}: parameter {parameter.name!r} needs a type annotation")
        else:
            fields[parameter.name] = _field(parameter, hints[parameter.name])
    config = ConfigDict(
        extra=extra,
        protected_namespaces=(),
        hide_input_in_errors=True,  # what was refused may be meant for a secret
        allow_inf_nan=False,
        ser_json_inf_nan="constants",  # by default NaN silently becomes null
    )
    return create_model(f"{name} payload", __config__=config, **fields)


def _field(parameter: inspect.Parameter, hint: Any) -> tuple[Any, Any]:
    required = parameter.default is inspect.Parameter.empty
    return hint, Field(... if required else parameter.default)


def validated(
    model: type[BaseModel], payload: Mapping[str, Any], files: NamedFiles | None = None
) -> dict[str, Any]:
    """The payload as it is stored: JSON, checked against the type, secrets encrypted.

    Raises InvalidPayload, whose errors point into the payload, and PayloadTooLarge. Files may be
    named only where the caller gives `files` to note them, and then looks whose they are.
    """
    _refuse_model_instances(payload)
    try:
        parsed = model.model_validate(dict(payload), context={NAMED: files})
        stored = parsed.model_dump(mode="json", exclude_unset=True)
    except ValidationError as error:
        raise InvalidPayload(_field_errors(error, payload, model)) from error
    except (PydanticSerializationError, ValueError, TypeError) as error:
        raise InvalidPayload([FieldError("", "cannot be written as JSON")]) from error
    refuse_unstorable(stored)
    return stored


def arguments(model: type[BaseModel], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments for the job function from a stored payload; secrets are decrypted.

    Raises InvalidPayload where the payload no longer fits the type (the code changed since).
    """
    try:
        parsed = model.model_validate(dict(stored), context={UNSEAL: True})
    except ValidationError as error:
        raise InvalidPayload(_field_errors(error, stored, model)) from error
    # Further keys may be named like a method of the model, `copy` or `json`: not by getattr.
    declared = {name: getattr(parsed, name) for name in type(parsed).model_fields}
    return {**declared, **(parsed.model_extra or {})}


def named_files(model: type[BaseModel], stored: Mapping[str, Any]) -> set[UUID]:
    """The ids of the files that a stored payload names."""
    named = NamedFiles()
    model.model_validate(dict(stored), context={UNSEAL: True, NAMED: named})
    return named.ids


@lru_cache(maxsize=512)
def model_without(model: type[BaseModel], names: frozenset[str]) -> type[BaseModel]:
    """The model of the other parameters alone: for a payload in which these are not known yet."""
    fields: dict[str, Any] = {
        name: (field.annotation, field)
        for name, field in model.model_fields.items()
        if name not in names
    }
    return create_model(model.__name__, __config__=model.model_config, **fields)


@lru_cache(maxsize=512)
def keeps_apart(model: type[BaseModel], name: str) -> bool:
    """Whether this parameter may hold a secret or a file; said too often rather than too seldom."""
    if name not in model.model_fields:
        return False
    alone = model_without(model, frozenset(model.model_fields) - {name})
    try:
        text = json.dumps(alone.model_json_schema())
    except (PydanticInvalidForJsonSchema, TypeError, ValueError):
        return True
    return MARK in text or '"writeOnly"' in text


def takes_files(model: type[BaseModel]) -> bool:
    """Whether a payload may name files; said too often rather than too seldom."""
    try:
        return MARK in json.dumps(model.model_json_schema())
    except (PydanticInvalidForJsonSchema, TypeError, ValueError):
        return True


def _field_errors(
    error: ValidationError, given: Mapping[str, Any], model: type[BaseModel]
) -> list[FieldError]:
    return [
        FieldError(
            pointer(*_place(problem["loc"], given, missing=problem["type"] == "missing")),
            _unknown(problem["loc"], model)
            if problem["type"] == "extra_forbidden"
            else problem["msg"],
        )
        for problem in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def _unknown(location: Sequence[str | int], model: type[BaseModel]) -> str:
    """With what would be known, for a parameter of the type itself."""
    if len(location) > 1:
        return "unknown parameter"
    return f"unknown parameter; known: {', '.join(model.model_fields) or 'none'}"


def _place(location: Sequence[str | int], given: Any, *, missing: bool) -> list[str | int]:
    """Where in what was given it stands. Pydantic also names the member of a union that it tried,
    which is in nobody's payload."""
    place: list[str | int] = []
    for part in location:
        try:
            given = given[part]
        except (KeyError, IndexError, TypeError):
            continue
        place.append(part)
    return [*place, location[-1]] if missing else place


def _refuse_model_instances(payload: Mapping[str, Any]) -> None:
    for name, value in payload.items():
        if isinstance(value, Model) and not is_stored_file(value):
            raise InvalidPayload(
                [FieldError(pointer(name), "is a model instance; pass its primary key")]
            )


def refuse_unstorable(stored: dict[str, Any]) -> None:
    """Raises InvalidPayload or PayloadTooLarge. PostgreSQL's jsonb holds no NUL and no lone
    surrogate, and JSON no NaN."""
    try:
        text = json.dumps(stored, allow_nan=False, ensure_ascii=False)
        size = len(text.encode())
    except (ValueError, UnicodeEncodeError, RecursionError) as error:
        raise InvalidPayload([FieldError("", "cannot be written as JSON")]) from error
    if "\\u0000" in text.replace("\\\\", ""):  # escaped itself it is six harmless characters
        raise InvalidPayload([FieldError("", "contains a NUL character")])
    if size > MAX_BYTES:
        raise PayloadTooLarge(f"The payload has {size} bytes; {MAX_BYTES} are allowed.")
