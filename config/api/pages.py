"""Answers for requests that reach no view: problem+json below /api/, Django's pages elsewhere."""

from __future__ import annotations

import logging
import sys
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from config.api.errors import NOT_FOUND, problem_of
from config.api.problem import Problem

logger = logging.getLogger(__name__)


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


@csrf_exempt
def unknown_route(request: HttpRequest) -> HttpResponseBase:
    return NOT_FOUND.plain_response(request.path)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if _is_api(request):
        problem = Problem(status=400, detail="The request is not well formed.")
        return problem.plain_response(request.path)
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if _is_api(request):
        return problem_of(exception).plain_response(request.path)
    return defaults.permission_denied(request, exception)


def server_error(request: HttpRequest, **_: Any) -> HttpResponseBase:
    """Django has logged the exception that led here."""
    error = sys.exception()
    if _is_api(request) and isinstance(error, Exception):
        return problem_of(error).plain_response(request.path)
    return defaults.server_error(request)
