"""Everything that a Celeriac of real processes shows or keeps, as bytes to search."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import redis
from django.db import connection

from tests.support.waiting import wait_for

_SHORTEST = 12  # characters of base64 that no neighbour decides


def forms_of(text: str) -> list[bytes]:
    """What a text looks like plainly, in hexadecimal, and in base64 wherever it begins in it."""
    plain = text.encode()
    coded = []
    for before in range(3):
        whole = base64.b64encode(b"\x00" * before + plain).rstrip(b"=")
        inside = whole[4 if before else 0 : -3]
        assert len(inside) >= _SHORTEST
        coded.append(inside)
    return [plain, plain.hex().encode(), *coded]


def is_in(text: str, content: bytes) -> bool:
    return any(form in content for form in forms_of(text))


def files_below(home: Path) -> bytes:
    """Logs, the data of the servers with what they have not yet tidied up, and stored files."""
    parts = []
    for path in sorted(home.rglob("*")):
        try:
            if path.is_file():
                parts.append(path.read_bytes())
        except OSError:  # it went away meanwhile
            continue
    return b"\n".join(parts)


def tables() -> bytes:
    """Each row of each table as text, and the statements that connections have sent last."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        questions = [f'SELECT t::text FROM "{name}" AS t' for (name,) in cursor.fetchall()]
        rows: list[str] = []
        for question in [*questions, "SELECT query FROM pg_stat_activity"]:
            cursor.execute(question)
            rows.extend(str(text) for (text,) in cursor.fetchall())
    return "\n".join(rows).encode()


def processes(pids: list[int]) -> bytes:
    """Arguments and environment of these processes and all that they started."""
    parts = []
    for pid in pids:
        root = psutil.Process(pid)
        for one in [root, *root.children(recursive=True)]:
            parts.append(repr([one.cmdline(), one.environ()]).encode())
    return b"\n".join(parts)


def kept_in(client: redis.Redis) -> bytes:
    """Every key with its whole value."""
    readers: dict[Any, Any] = {
        b"string": client.get,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"hash": client.hgetall,
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        b"stream": client.xrange,
    }
    parts = [repr(key) + repr(readers[client.type(key)](key)) for key in client.scan_iter()]
    return "\n".join(parts).encode()


@contextmanager
def overheard(url: str) -> Iterator[list[bytes]]:
    """All commands that reach the Redis meanwhile: what was in it for a moment only."""
    heard: list[bytes] = []
    client = redis.Redis.from_url(url)
    listener = threading.Thread(target=_listen, args=(client, heard), daemon=True)
    listener.start()
    try:
        wait_for(lambda: heard or not client.ping(), seconds=10, what="it is overheard")
        yield heard
        assert listener.is_alive(), "nobody listens any more"
    finally:
        client.close()


def _listen(client: redis.Redis, heard: list[bytes]) -> None:
    """Until the connection ends, which it does with the servers at the latest."""
    listening: Any = client  # its `monitor` has no types
    quietly = suppress(redis.RedisError, OSError, ValueError, AttributeError)
    with quietly, listening.monitor() as monitor:
        for command in monitor.listen():
            heard.append(command["command"].encode(errors="replace"))
