"""Addresses that a person can open."""

import ipaddress
from urllib.parse import urlsplit


def base_url(host: str, port: int) -> str:
    """Where a server that listens on `host` and `port` can be reached from this machine."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared with, not bound to
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def origin(url: str) -> str:
    """Scheme, host and port of a URL, as browsers send them in `Origin`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine can reach a server that listens on `host`."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
