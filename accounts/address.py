"""From where a request came."""

from __future__ import annotations

import ipaddress

from django.http import HttpRequest


def address_of(request: HttpRequest) -> str | None:
    """The caller's address as the server saw it, in the form that PostgreSQL takes.

    A proxy's headers are the server's to judge. A Unix socket has no address.
    """
    try:
        address = ipaddress.ip_address(str(request.META.get("REMOTE_ADDR", "")).partition("%")[0])
    except ValueError:
        return None
    return str(address)
