"""A server is brought along only where nobody gave the address of another."""

import os
from pathlib import Path

import pytest

from config.supervision.exceptions import AlreadyRunningError
from config.supervision.home import Home
from config.supervision.private_servers import private_servers, published

ELSEWHERE = {"DATABASE_URL": "postgres://db.example/celeriac", "REDIS_URL": "redis://r.example/0"}


@pytest.fixture
def home(open_directory: Path) -> Home:
    home = Home(path=open_directory / "home")
    home.make()
    return home


def test_given_addresses_start_nothing_and_make_nothing(home: Home) -> None:
    assert private_servers(home, ELSEWHERE) == []
    assert not (home.path / "servers").exists()


def test_only_the_server_without_an_address_is_brought_along(home: Home) -> None:
    (server,) = private_servers(home, {**ELSEWHERE, "REDIS_URL": ""})
    assert server.setting == "REDIS_URL"


def test_the_address_that_a_killed_run_left_is_not_taken_for_a_given_one(home: Home) -> None:
    (server,) = private_servers(home, {**ELSEWHERE, "REDIS_URL": ""})
    home.embedded_env.write_text(f"REDIS_URL={server.url}\n")
    (again,) = private_servers(home, {**ELSEWHERE, "REDIS_URL": server.url})
    assert again.url == server.url


def test_addresses_are_published_to_their_owner_only_and_withdrawn(home: Home) -> None:
    servers = private_servers(home, {**ELSEWHERE, "REDIS_URL": ""})
    with published(servers, home):
        assert home.embedded_env.stat().st_mode & 0o777 == 0o600
        assert home.embedded_env.read_text() == f"REDIS_URL={servers[0].url}\n"
    assert not home.embedded_env.exists()


def test_a_home_is_held_by_one_at_a_time(home: Home) -> None:
    refused = pytest.raises(AlreadyRunningError, match=f"process {os.getpid()}")
    with home.held(), refused, home.held():
        pytest.fail("held twice")
    with home.held():
        assert (home.run / "up.lock").exists()


def test_the_supervisors_socket_fits_into_what_the_system_allows(open_directory: Path) -> None:
    deep = Home(path=open_directory / ("d" * 60) / ("e" * 60))
    socket = deep.socket()
    assert len(os.fsencode(socket)) <= 100
    assert socket.parent.stat().st_mode & 0o777 == 0o700
    socket.parent.rmdir()
