"""The servers' data lie where their user can reach them, and stay there."""

import os
from pathlib import Path

import pytest

from config.embedded.account import Account, server_account
from config.embedded.exceptions import ClosedPlaceError
from config.embedded.place import server_home

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the servers another user")


@pytest.fixture
def account() -> Account:
    return server_account()


def test_the_servers_never_run_as_root(account: Account) -> None:
    assert account.uid != 0


def test_data_lie_inside_a_home_that_can_be_entered(open_directory: Path, account: Account) -> None:
    assert server_home(open_directory, account) == open_directory / "servers"
    assert not (open_directory / "server-home").exists()


@as_root
def test_data_lie_elsewhere_when_the_home_is_closed_and_the_home_says_where(
    open_directory: Path, account: Account
) -> None:
    closed, elsewhere = open_directory / "closed", open_directory / "elsewhere"
    home = closed / "home"
    home.mkdir(parents=True)
    closed.chmod(0o700)

    place = server_home(home, account, elsewhere)

    assert place.parent == elsewhere
    assert (home / "server-home").read_text().strip() == str(place)
    assert closed.stat().st_mode & 0o777 == 0o700, "a parent was opened up"


@as_root
def test_a_second_start_finds_the_same_data_also_after_the_home_was_opened(
    open_directory: Path, account: Account
) -> None:
    closed, elsewhere = open_directory / "closed", open_directory / "elsewhere"
    closed.mkdir(mode=0o700)
    first = server_home(closed, account, elsewhere)
    closed.chmod(0o711)
    assert server_home(closed, account, elsewhere) == first


@as_root
def test_data_that_can_no_longer_be_reached_are_not_replaced_by_empty_ones(
    open_directory: Path, account: Account
) -> None:
    home = open_directory / "home"
    home.mkdir()
    server_home(home, account)
    home.chmod(0o700)
    with pytest.raises(ClosedPlaceError, match="right to enter"):
        server_home(home, account, open_directory / "elsewhere")


@as_root
def test_two_homes_never_share_a_place(open_directory: Path, account: Account) -> None:
    homes = [open_directory / "a", open_directory / "b"]
    for home in homes:
        home.mkdir(mode=0o700)
    assert len({server_home(home, account, open_directory / "else") for home in homes}) == 2
