"""Where a program of a test listens, and where it finds the test's database."""

from __future__ import annotations

import socket
import sys

from django.db import connection

_held: list[socket.socket] = []  # until this process ends


def free_port() -> int:
    """A port on which nothing listens, and that the system gives to nobody else meanwhile.

    A server may take seconds to start. Until then, and between two of its lives, a socket that
    does not listen holds the port: on Linux a server listens there all the same (SO_REUSEADDR)."""
    holding = socket.socket()
    holding.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holding.bind(("127.0.0.1", 0))
    port = int(holding.getsockname()[1])
    if sys.platform == "linux":
        _held.append(holding)
    else:
        holding.close()
    return port


def database_url() -> str:
    given = connection.settings_dict
    who = f"{given['USER']}:{given['PASSWORD']}"
    return f"postgres://{who}@{given['HOST']}:{given['PORT']}/{given['NAME']}"
