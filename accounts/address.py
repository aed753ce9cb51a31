"""From where a request came."""

from __future__ import annotations

import ipaddress

from django.http import HttpRequest


def address_of(request: HttpRequest) -> str | None:
    """The caller's address as the server saw it, in the form that PostgreSQL takes.

    A proxy's headers are the server's to judge (TRUSTED_PROXIES). A Unix socket has no address.
    """
    try:
        address = ipaddress.ip_address(str(request.META.get("REMOTE_ADDR", "")).partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


def network_of(address: str) -> tuple[str, str]:
    """The first and last address of the one who has this one: with IPv6 a /64, of which anybody who
    has one address has all."""
    bits = 64 if ":" in address else 32
    network = ipaddress.ip_network(f"{address}/{bits}", strict=False)
    return str(network[0]), str(network[-1])
