"""The one table from what went wrong to what the caller is told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, InternalError, OperationalError
from django.http import Http404
from psycopg.errors import DeadlockDetected, LockNotAvailable, ReadOnlySqlTransaction
from rest_framework import exceptions
from rest_framework.response import Response

from accounts.api.refusals import Unprocessable
from accounts.exceptions import SlugTaken, TokenNameTaken
from config.api.problem import Problem
from jobs.exceptions import (
    FieldErrors,
    InvalidPayload,
    PayloadTooLarge,
    QueueExists,
    QuotaExceeded,
    TransitionRefused,
    UniqueKeyTaken,
    UnknownJobType,
    UnknownQueue,
)
from jobs.policies.in_flight import NotTakenBack

logger = logging.getLogger(__name__)

NOT_FOUND = Problem(status=404, detail="Not found.")
INTERNAL = Problem(status=500, detail="Something went wrong here. It has been logged.")
DATABASE_AWAY = Problem(
    status=503, detail="The database is away. Try again.", headers={"Retry-After": "5"}
)
DATABASE_FULL = Problem(
    status=503, detail="The database has no room for this now.", headers={"Retry-After": "60"}
)
HELD = Problem(
    status=409,
    detail="Somebody else is changing this right now. Try again.",
    kind="held",
    headers={"Retry-After": "2"},
)
_NO_ROOM = "53"  # class of SQLSTATE: disk, memory, connections, table of locks
# One body for every cause, so that nobody learns which tokens exist.
_UNAUTHENTICATED = "A valid token is needed: Authorization: Bearer TOKEN."


def _fields(errors: list[tuple[str, str]]) -> Problem:
    return Problem(status=422, detail="Some fields break a rule.", errors=errors)


def _field_errors(error: FieldErrors) -> Problem:
    return _fields([(one.pointer, one.detail) for one in error.errors])


def _payload_errors(error: InvalidPayload) -> Problem:
    return _fields([(f"/payload{one.pointer}", one.detail) for one in error.errors])


def _of_framework(error: exceptions.APIException) -> Problem:
    wait = getattr(error, "wait", None)
    return Problem(
        status=error.status_code,
        detail=str(error.detail),
        kind=getattr(error, "kind", ""),
        headers={"Retry-After": str(int(wait))} if wait else {},
    )


def _unauthenticated(error: exceptions.APIException) -> Problem:
    # REST framework turns a 401 without a challenge into 403; ours always has one.
    challenge = getattr(error, "auth_header", "Bearer")
    return Problem(status=401, detail=_UNAUTHENTICATED, headers={"WWW-Authenticate": challenge})


def _of_database(error: InternalError) -> Problem:
    return DATABASE_AWAY if isinstance(error.__cause__, ReadOnlySqlTransaction) else INTERNAL


def _of_operation(error: OperationalError) -> Problem:
    cause = error.__cause__
    if isinstance(cause, LockNotAvailable | DeadlockDetected):
        return HELD
    full = str(getattr(cause, "sqlstate", None) or "").startswith(_NO_ROOM)
    return DATABASE_FULL if full else DATABASE_AWAY


_TABLE: Mapping[type[Exception], Callable[[Any], Problem]] = {
    UnknownJobType: lambda error: _fields([("/type", str(error))]),
    UnknownQueue: lambda error: _fields([("/queue", str(error))]),
    InvalidPayload: _payload_errors,
    FieldErrors: _field_errors,
    PayloadTooLarge: lambda error: Problem(status=413, detail=str(error)),
    QuotaExceeded: lambda error: Problem(
        status=429,
        detail=str(error),
        kind="quota-exceeded",
        headers={"Retry-After": str(error.retry_after)},
    ),
    UniqueKeyTaken: lambda error: Problem(status=409, detail=str(error), kind="unique-key-taken"),
    TransitionRefused: lambda error: Problem(
        status=409, detail=str(error), kind="transition-refused"
    ),
    NotTakenBack: lambda error: Problem(
        status=503, detail=str(error), kind="not-taken-back", headers={"Retry-After": "60"}
    ),
    QueueExists: lambda error: Problem(status=409, detail=str(error), kind="queue-exists"),
    TokenNameTaken: lambda error: Problem(status=409, detail=str(error), kind="token-name-taken"),
    SlugTaken: lambda error: Problem(status=409, detail=str(error), kind="slug-taken"),
    OperationalError: _of_operation,
    InterfaceError: lambda error: DATABASE_AWAY,
    InternalError: _of_database,
    Http404: lambda error: NOT_FOUND,
    PermissionDenied: lambda error: Problem(status=403, detail="Permission denied."),
    Unprocessable: lambda error: _fields([tuple(one) for one in error.errors]),
    exceptions.NotAuthenticated: _unauthenticated,
    exceptions.AuthenticationFailed: _unauthenticated,
    exceptions.APIException: _of_framework,
}


def problem_of(error: Exception) -> Problem:
    """What the caller is told. The nearest class of the error's family in the table decides."""
    answers = (_TABLE[family] for family in type(error).__mro__ if family in _TABLE)
    return next(answers, lambda _: INTERNAL)(error)


def handle(error: Exception, context: Mapping[str, Any]) -> Response:
    """REST framework's exception handler. It answers every error, so that nothing leaks."""
    request = context["request"]
    problem = problem_of(error)
    if problem is DATABASE_FULL:
        logger.critical("the database lacks a resource: %s", str(error).strip())
    if problem.status >= 500:
        logger.error("%s %r failed", request.method, request.path, exc_info=error)
    return problem.response(request.path)
