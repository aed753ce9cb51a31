"""Parameters that nobody but the job may read.

Declare a parameter as `Secret[str]`. From the moment the payload is validated its value is kept
encrypted; it is decrypted in the worker, for the job's code alone. Everything else, the API, the
admin, logs, messages, shows `***`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Generic, TypeVar, get_args

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

T = TypeVar("T")
MASK = "***"
SEALED = "$secret"  # {"$secret": "<token>"} stands where the value was
UNSEAL = "unseal"  # key of the validation context that lets sealed values in


_MASKED = "is '***', which only stands for a secret; give the secret itself"


class Secret(Generic[T]):
    """A value that shows itself only when asked: `secret.reveal()`."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        return self._value

    def __repr__(self) -> str:
        return f"Secret('{MASK}')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        (inner,) = get_args(source) or (str,)

        def accept(value: Any, validate: Any, info: ValidationInfo) -> Secret[Any]:
            if isinstance(value, Secret):
                value = value.reveal()
            elif (info.context or {}).get(UNSEAL) and is_sealed(value):
                value = _open(value[SEALED])
            elif value == MASK:
                raise PydanticCustomError("secret_masked", _MASKED)
            return cls(validate(value))

        return core_schema.with_info_wrap_validator_function(
            accept,
            handler.generate_schema(inner),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda secret: {SEALED: _seal(TypeAdapter(inner).dump_json(secret.reveal()))}
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema["schema"]), "writeOnly": True}


def is_sealed(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {SEALED} and isinstance(value[SEALED], str)


def sealed(value: Any) -> str:
    """A JSON value, encrypted for a column of text."""
    return _seal(TypeAdapter(Any).dump_json(value))


def opened(text: str) -> Any:
    """What was `sealed`. Raises PydanticCustomError where its key is no longer configured."""
    return _open(text)


def masked(value: Any) -> Any:
    """The same JSON with every sealed value replaced by `***`."""
    if is_sealed(value):
        return MASK
    if isinstance(value, dict):
        return {key: masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item) for item in value]
    return value


def unmasked(given: Any, stored: Any) -> Any:
    """What was given, with the stored secrets where it says `***` in their places.

    An item of a list only where all of it stayed: another may have moved to its place.
    Raises PydanticCustomError where a secret can no longer be read.
    """
    if given == MASK and is_sealed(stored):
        return Secret(_open(stored[SEALED]))
    if isinstance(given, Mapping) and isinstance(stored, dict):
        return {key: unmasked(item, stored.get(key)) for key, item in given.items()}
    if isinstance(given, list) and isinstance(stored, list):
        same = [
            unmasked(item, before) if item == masked(before) else item
            for item, before in zip(given, stored, strict=False)
        ]
        return [*same, *given[len(same) :]]
    return given


def _seal(plain: bytes) -> str:
    return _ring(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS).encrypt(plain).decode()


def _open(token: str) -> Any:
    ring = _ring(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    try:
        return TypeAdapter(Any).validate_json(ring.decrypt(token.encode()))
    except InvalidToken as error:
        raise PydanticCustomError(
            "secret_unreadable", "was encrypted under a key that is no longer configured"
        ) from error


@lru_cache(maxsize=4)
def _ring(*keys: str) -> MultiFernet:
    """The first key encrypts, all of them decrypt: a key is rotated by SECRET_KEY_FALLBACKS."""
    return MultiFernet(Fernet(_derived(key)) for key in keys)


def _derived(key: str) -> bytes:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"celeriac job secrets v1")
    return base64.urlsafe_b64encode(kdf.derive(key.encode()))
