"""What holds for every request to the admin: no NUL in its address, and what its pages may load."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import unquote

from asgiref.sync import iscoroutinefunction
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

_POLICY_HEADER = "Content-Security-Policy"
# Nothing comes from elsewhere and nothing goes there, whatever gets into a page. Its menus are
# Alpine's, which evaluates expressions in attributes; styles are set by attributes.
_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


@sync_and_async_middleware  # a middleware of one kind would cost each request a change of thread
def guard(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """400 for a NUL, which PostgreSQL takes in no text: once, in place of a check by every filter
    and search. A policy of their own stays with the pages that have one."""
    if not iscoroutinefunction(get_response):

        def middleware(request: HttpRequest) -> HttpResponse:
            if not _is_admins(request):
                return cast(HttpResponse, get_response(request))
            _refuse_nul(request)
            return _guarded(get_response(request))

        return middleware

    async def asynchronous(request: HttpRequest) -> HttpResponse:
        answer = cast(Callable[[HttpRequest], Awaitable[HttpResponse]], get_response)
        if not _is_admins(request):
            return await answer(request)
        _refuse_nul(request)
        return _guarded(await answer(request))

    return asynchronous


def _is_admins(request: HttpRequest) -> bool:
    return request.path.startswith("/admin/")


def _refuse_nul(request: HttpRequest) -> None:
    query = unquote(request.META.get("QUERY_STRING", ""))
    if "\x00" in request.path or "\x00" in query:
        raise BadRequest("NUL in the address")


def _guarded(response: HttpResponse) -> HttpResponse:
    response.headers.setdefault(_POLICY_HEADER, _POLICY)
    return response
