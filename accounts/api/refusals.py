"""Refusals of the API that REST framework has no word for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from rest_framework import status
from rest_framework.exceptions import APIException


class FieldRefusal(NamedTuple):
    """What is wrong with one field; `pointer` is a JSON pointer, `/name` for a query parameter."""

    pointer: str
    detail: str


class Unprocessable(APIException):
    """The request is well formed and breaks a rule."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_detail = "Some fields break a rule."
    default_code = "unprocessable"

    def __init__(self, errors: Iterable[FieldRefusal]) -> None:
        super().__init__()
        self.errors = tuple(errors)


class StillRunning(APIException):
    """The first request with this idempotency key has not ended yet."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "The first request with this Idempotency-Key is still running."
    default_code = "still_running"
    wait = 1


class RateLimited(APIException):
    """The caller's window of such calls is full; `wait` seconds until there is room in it."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_detail = "Too many calls of this kind. Wait as long as Retry-After says."
    default_code = "rate_limited"
    kind = "rate-limited"

    def __init__(self, *, wait: int) -> None:
        super().__init__()
        self.wait = wait


class TooLarge(APIException):
    """The body is larger than may be."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."
    default_code = "too_large"
