"""Ports are chosen once and kept, unless somebody else sits on one."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded.ports import LOOPBACK, free_port, is_free, kept_port


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((LOOPBACK, 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_with_a_listener_is_not_free(taken: int) -> None:
    assert not is_free(LOOPBACK, taken)


def test_a_chosen_port_is_kept(tmp_path: Path) -> None:
    record = tmp_path / "port"
    assert kept_port(record, in_use_by_us=False) == kept_port(record, in_use_by_us=False)


def test_a_port_that_our_own_server_still_uses_is_kept(tmp_path: Path, taken: int) -> None:
    record = tmp_path / "port"
    record.write_text(f"{taken}\n")
    assert kept_port(record, in_use_by_us=True) == taken


def test_a_port_that_another_program_took_is_given_up(tmp_path: Path, taken: int) -> None:
    record = tmp_path / "port"
    record.write_text(f"{taken}\n")
    other = kept_port(record, in_use_by_us=False)
    assert other != taken
    assert record.read_text().strip() == str(other)


def test_free_ports_lie_outside_the_range_of_outgoing_connections() -> None:
    assert 20_000 <= free_port() < 32_000
