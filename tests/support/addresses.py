"""Where a program of a test listens, and where it finds the test's database."""

from __future__ import annotations

import socket

from django.db import connection


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def database_url() -> str:
    given = connection.settings_dict
    who = f"{given['USER']}:{given['PASSWORD']}"
    return f"postgres://{who}@{given['HOST']}:{given['PORT']}/{given['NAME']}"
