"""TCP ports: whether one is free, and one that a server keeps."""

import errno
import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"

# Below the range that Linux and macOS hand out for outgoing connections, one of which could
# otherwise sit on a kept port just when its server comes back.
_RANGE = range(20_000, 32_000)


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen on `host`:`port` now."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def free_port(host: str = LOOPBACK) -> int:
    """A port on which nothing listens at this moment."""
    return next(port for port in random.sample(_RANGE, len(_RANGE)) if is_free(host, port))


def kept_port(record: Path, *, in_use_by_us: bool) -> int:
    """The port in `record`, chosen on first use, and chosen anew where another program took it."""
    port = int(record.read_text()) if record.exists() else 0
    if port and (in_use_by_us or is_free(LOOPBACK, port)):
        return port
    port = free_port()
    record.write_text(f"{port}\n")
    return port
