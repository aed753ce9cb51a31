"""GET /docs/: the schema as a page to read and to try calls on."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

# The page holds a caller's token while it is open: nothing but our own files may run in it.
_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """For everybody, as the schema is."""
    page = render(request, "celeriac/docs.html")
    page["Content-Security-Policy"] = _POLICY
    return page
