"""A Content-Type that cannot be read is the caller's mistake, on every route."""

from __future__ import annotations

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGISendCallable,
    HTTPScope,
    Scope,
)
from django.utils.http import parse_header_parameters

from config.api.answering import answer
from config.api.problem import Problem

_UNREADABLE = Problem(status=415, detail="The Content-Type cannot be read.")


class ReadableContentType:
    """Answers 415 to a request, of any method, whose Content-Type Django could not read.

    Django reads it where it makes its request object, outside of all that answers its errors, and
    decodes forms by the charset that stands in it.
    """

    def __init__(self, application: ASGI3Application) -> None:
        self._application = application

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        if scope["type"] == "http" and not _is_readable(_content_type(scope)):
            await answer(_UNREADABLE, scope["path"], send)
        else:
            await self._application(scope, receive, send)


def _content_type(scope: HTTPScope) -> str:
    sent = [value.decode("latin-1") for name, value in scope["headers"] if name == b"content-type"]
    return ",".join(sent)  # as Django joins them


def _is_readable(content_type: str) -> bool:
    try:
        _, parameters = parse_header_parameters(content_type)
        b"text".decode(parameters.get("charset", "utf-8"), "replace")
    except (LookupError, TypeError, ValueError):  # what its parser raises for hostile values
        return False
    return True
