"""`manage.py doctor` as a process, beside servers that are badly set up, stopped, or silent."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config.bootstrap import ROOT
from tests.support.servers import BreakableServer, private_servers

Servers = tuple[BreakableServer, BreakableServer]


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """A PostgreSQL, not migrated, and a Valkey."""
    home = Path(tempfile.mkdtemp(prefix="celeriac-doctor-"))
    logs = home / "logs"
    logs.mkdir()
    postgres, valkey = private_servers(home, logs, on_disk=True)
    postgres.start()
    valkey.start()
    yield postgres, valkey
    postgres.stop(signal.SIGINT)
    valkey.stop(signal.SIGTERM)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def running(servers: Servers) -> Servers:
    for server in servers:
        server.ensure()
    return servers


def doctor(**settings: str) -> dict[str, tuple[str, str]]:
    """(level, detail) by subject. It must end by itself and never with a traceback."""
    ended = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--json"],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in ended.stdout + ended.stderr
    assert ended.returncode == 1  # nothing runs here that would move jobs along
    return {one["subject"]: (one["level"], one["detail"]) for one in json.loads(ended.stdout)}


def beside(servers: Servers) -> dict[str, tuple[str, str]]:
    postgres, valkey = servers
    return doctor(DATABASE_URL=postgres.url, REDIS_URL=valkey.url, BROKER_URL=valkey.url)


def test_a_database_that_may_lose_commits_and_a_redis_that_evicts_are_named(
    running: Servers,
) -> None:
    postgres, valkey = running
    before = beside(running)
    assert before["Durability"] == ("ok", "fsync, full_page_writes, synchronous_commit on")
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {name} = off")
        connection.execute("SELECT pg_reload_conf()")
    with redis.Redis.from_url(valkey.url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("appendonly", "no")
    found = beside(running)
    assert found["Durability"] == ("fail", "off: fsync, full_page_writes, synchronous_commit")
    assert found["Redis"][0] == "warn"
    assert "allkeys-lru" in found["Redis"][1]
    assert found["Redis on disk"][0] == "note"


def test_before_the_first_migration_the_way_out_is_to_migrate(running: Servers) -> None:
    found = beside(running)
    assert found["Database"][0] == found["Redis"][0].replace("warn", "ok") == "ok"
    assert "not applied" in found["Migrations"][1]
    assert found["Dispatcher"][0] == "fail"


def test_a_stopped_database_does_not_hide_the_broker(running: Servers) -> None:
    postgres, _ = running
    postgres.stop(signal.SIGINT)
    found = beside(running)
    assert found["Database"][0] == "fail"
    assert found["Broker"][0] == "ok"


def test_a_stopped_broker_does_not_hide_the_database(running: Servers) -> None:
    _, valkey = running
    valkey.stop(signal.SIGTERM)
    found = beside(running)
    assert found["Redis"][0] == found["Broker"][0] == "fail"
    assert found["Database"][0] == "ok"


def test_servers_that_take_a_connection_and_say_nothing_are_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        found = doctor(
            DATABASE_URL=f"postgres://u:canary-7Qx9@{address}/x",
            REDIS_URL=f"redis://:canary-7Qx9@{address}/0",
            BROKER_URL=f"redis://:canary-7Qx9@{address}/0",
        )
    assert found["Database"][0] == found["Redis"][0] == found["Broker"][0] == "fail"
    assert "canary" not in str(found)
    assert found["Python"][0] == "ok"
