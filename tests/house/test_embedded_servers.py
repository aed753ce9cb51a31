"""The private servers: durable, closed to others, found again, and ended with their owner."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from config.bootstrap import ROOT
from config.embedded.account import server_account, spawn
from config.embedded.exceptions import OtherVersionError
from config.embedded.place import server_home
from config.embedded.postgres import prepare_postgres
from config.embedded.server import Server, running, stop, wait_until_ready
from config.embedded.valkey import prepare_valkey
from tests.house.waiting import wait_until


@pytest.fixture
def prepare(open_directory: Path) -> Callable[[], Server]:
    """Prepares the same private PostgreSQL each time it is called."""
    account = server_account()
    place = server_home(open_directory, account)
    return lambda: prepare_postgres(place, account)


@contextmanager
def started(server: Server) -> Iterator[Server]:
    with spawn(server.argv, server.account) as process:
        wait_until_ready(server, seconds=30)
        yield server
        stop(server, seconds=10)
        assert process.wait() == 0


def test_a_private_postgresql_is_durable(prepare: Callable[[], Server]) -> None:
    with started(prepare()) as server, psycopg.connect(server.url) as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
            assert connection.execute(f"SHOW {name}").fetchone() == ("on",)


def test_the_tests_run_on_one_like_it_that_does_not_wait_for_the_disk() -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        for name in ("full_page_writes", "synchronous_commit", "data_checksums"):
            assert connection.execute(f"SHOW {name}").fetchone() == ("on",)


def test_the_tests_run_on_a_valkey_that_evicts_nothing_and_keeps_a_log() -> None:
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}


def test_nobody_gets_in_without_the_password() -> None:
    url = os.environ["DATABASE_URL"]
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url.replace(url.split(":")[2].split("@")[0], "guess"))
    with (
        redis.Redis.from_url("redis://" + os.environ["REDIS_URL"].split("@")[1]) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()


def test_what_was_committed_is_there_after_a_stop_and_a_second_start(
    prepare: Callable[[], Server],
) -> None:
    with started(prepare()) as first, psycopg.connect(first.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
        connection.commit()
    second = prepare()
    assert second.url == first.url
    with started(second), psycopg.connect(second.url) as connection:
        assert connection.execute("SELECT value FROM kept").fetchone() == (7,)


def test_a_cluster_that_was_cut_off_in_the_making_is_made_again(
    open_directory: Path, prepare: Callable[[], Server]
) -> None:
    half = open_directory / "servers" / "postgres" / "making" / "data"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with started(prepare()) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_data_of_another_major_version_are_refused_with_the_way_out(
    prepare: Callable[[], Server],
) -> None:
    server = prepare()
    (server.data / "PG_VERSION").write_text("13\n")
    with pytest.raises(OtherVersionError, match=r"PostgreSQL 13.*pg_dump"):
        prepare()


def test_no_password_stands_on_a_command_line_or_in_a_file_for_others(
    open_directory: Path, prepare: Callable[[], Server]
) -> None:
    account = server_account()
    for server in (prepare(), prepare_valkey(server_home(open_directory, account), account)):
        password = server.url.split(":")[2].split("@")[0]
        assert password not in " ".join(server.argv)
        assert password not in repr(server)
    secret = [
        path for path in open_directory.rglob("*") if path.name in ("password", "valkey.conf")
    ]
    assert len(secret) == 3
    assert {path.stat().st_mode & 0o777 for path in secret} == {0o600}


def test_a_process_that_only_has_the_number_of_a_server_is_not_taken_for_it(
    tmp_path: Path,
) -> None:
    pid_file = tmp_path / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n")
    assert running(pid_file, tmp_path / "data") is None
    assert running(pid_file, Path.cwd()) == os.getpid()


@pytest.fixture
def keeper(open_directory: Path) -> Iterator[subprocess.Popen[str]]:
    home = open_directory / "kept"
    home.mkdir(mode=0o711)
    with subprocess.Popen(
        [sys.executable, "-m", "config.embedded.keeper", str(home)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert set(json.loads(process.stdout.readline())) == {"DATABASE_URL", "REDIS_URL"}
        yield process
        process.kill()


def test_kept_servers_and_their_data_go_when_their_owner_lets_go(
    keeper: subprocess.Popen[str], open_directory: Path
) -> None:
    servers = psutil.Process(keeper.pid).children(recursive=True)
    keeper.communicate(timeout=30)
    assert keeper.returncode == 0
    assert not [server for server in servers if server.is_running()]
    assert not (open_directory / "kept").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl(2)")
def test_kept_servers_end_even_when_their_keeper_is_killed(keeper: subprocess.Popen[str]) -> None:
    servers = psutil.Process(keeper.pid).children(recursive=True)
    assert {server.name() for server in servers} >= {"postgres"}
    keeper.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(server.is_running() for server in servers), seconds=15)
