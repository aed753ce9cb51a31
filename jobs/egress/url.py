"""What a URL says, read once and strictly: no second reader can understand it in another way.

Whatever is out of the ordinary is refused rather than mended, but for letter case, one final dot,
names in other scripts (IDNA 2008) and the system's ways of writing IPv4 (`127.1`, `0x7f000001`),
which become what they mean.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import idna

LONGEST = 2_048
_WHOLE = re.compile(r"(https?)://([^/?]*)([/?].*)?", re.IGNORECASE | re.ASCII)
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?")
_NOT_IN_PATH = re.compile(r'[^!-~]|["<>\\^`{|}]')
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class RefusedURL(ValueError):
    """This URL may not be called; `reason` is a sentence for the one who gave it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a URL leads. `host` is a name in lower-case ASCII, or an address as the system writes
    it; `path` is what stands in the request's first line."""

    scheme: str
    host: str
    port: int
    path: str
    is_address: bool

    @property
    def host_and_port(self) -> str:
        return host_and_port(self.host, self.port)


def host_and_port(host: str, port: int) -> str:
    """As `EGRESS_ALLOW` writes it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse(url: str) -> Target:
    """Where it leads; raises `RefusedURL`. Looks at the text alone."""
    if len(url) > LONGEST:
        raise RefusedURL(f"The URL is longer than {LONGEST:,} characters.")
    whole = _WHOLE.fullmatch(url)
    if whole is None:
        raise RefusedURL("The URL must begin with http:// or https://, and be on one line.")
    scheme, authority, path = whole[1].lower(), whole[2], whole[3] or "/"
    host, port = parse_authority(authority)
    if "#" in path:
        raise RefusedURL("The URL must not have a fragment (#).")
    if _NOT_IN_PATH.search(path):
        raise RefusedURL("The URL's path and query must be percent-encoded.")
    return Target(
        scheme=scheme,
        host=host,
        port=_DEFAULT_PORTS[scheme] if port is None else port,
        path=path if path.startswith("/") else f"/{path}",
        is_address=":" in host or _is_number(host.rpartition(".")[2]),
    )


def parse_authority(authority: str) -> tuple[str, int | None]:
    """Host and port of `host:port`; raises `RefusedURL`."""
    if "@" in authority:
        raise RefusedURL("The URL must not have a user name or a password.")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise RefusedURL("The URL's host cannot be read.")
    port = int(parts[2]) if parts[2] else None
    if port is not None and not 1 <= port <= 65_535:
        raise RefusedURL("The URL's port is none.")
    return _host(parts[1]), port


def _host(text: str) -> str:
    if text.startswith("["):
        try:
            return str(IPv6Address(text[1:-1]))
        except ValueError:
            raise RefusedURL("The URL's host is no IPv6 address.") from None
    name = _in_ascii(text).removesuffix(".")
    labels = name.split(".")
    if _is_number(labels[-1]):
        return _address_of_numbers(name)
    if len(name) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise RefusedURL("The URL's host is no name.")
    return name


def _in_ascii(text: str) -> str:
    """No mapping of look-alikes: full-width digits, circled letters and their kind are refused."""
    name = "".join(map(_small, text))
    if name.isascii():
        return name
    try:
        return idna.encode(name, strict=True, std3_rules=True).decode("ascii")
    except UnicodeError:
        raise RefusedURL("The URL's host has characters that no name has.") from None


def _small(letter: str) -> str:
    """The small letter of a capital one. Some signs that are no letters (the Kelvin sign) become
    one when they are made small: only what comes back when it is made large again was a capital."""
    small = letter.lower()
    return small if small.upper() == letter else letter


def _is_number(label: str) -> bool:
    return _NUMBER.fullmatch(label) is not None


def _address_of_numbers(text: str) -> str:
    """`127.1`, `2130706433`, `0x7f000001`, `0177.0.0.1` are what the system takes them for."""
    try:
        return str(IPv4Address(socket.inet_aton(text)))
    except OSError:
        raise RefusedURL("The URL's host is no IPv4 address.") from None
