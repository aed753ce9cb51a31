"""What the API refuses, as exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """The API answered with a problem (RFC 9457)."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.type: str = problem.get("type", "about:blank")
        self.title: str = problem.get("title", "")
        self.detail: str = problem.get("detail", "")
        self.errors: list[dict[str, str]] = problem.get("errors", [])
        super().__init__(f"{status} {self.title}: {self._told()}")

    def _told(self) -> str:
        fields = "; ".join(f"{one['pointer']} {one['detail']}" for one in self.errors)
        return f"{self.detail} {fields}".strip()


class Refused(ApiError):
    """401 or 403: the token is not valid, or may not do this."""


class NotFound(ApiError):
    """404: missing, or another tenant's."""


class Conflict(ApiError):
    """409: the job's state does not allow it."""


class Invalid(ApiError):
    """400, 413, 415 or 422: the request breaks a rule; `errors` says which."""


class TooMany(ApiError):
    """429: still too many calls after all patience."""


class Waited(TimeoutError):
    """A job or a batch had not ended in the time that was given to it."""


_CLASSES = {401: Refused, 403: Refused, 404: NotFound, 409: Conflict, 429: TooMany,
            400: Invalid, 413: Invalid, 415: Invalid, 422: Invalid}  # fmt: skip


def error_of(status: int, problem: Mapping[str, Any]) -> ApiError:
    return _CLASSES.get(status, ApiError)(status, problem)
