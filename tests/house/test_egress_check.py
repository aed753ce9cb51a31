"""What the settings of outgoing calls must be, for a start."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme
from pytest_django import Settings

from config.egress import egress_settings_can_be_read


def ids() -> list[str | None]:
    return [finding.id for finding in egress_settings_can_be_read()]


@pytest.mark.parametrize(
    "entry", ["localhost:11434", "10.0.0.7:80", "[fd00::7]:443", " my_service.internal:8080 "]
)
def test_a_host_and_a_port_are_taken(entry: str, settings: Settings) -> None:
    settings.EGRESS_ALLOW = [entry, "127.0.0.1:9"]

    assert ids() == []


@pytest.mark.parametrize(
    "entry",
    ["", "localhost", "localhost:", ":8080", "localhost:0", "localhost:99999", "localhost:http",
     "http://localhost:8080", "localhost:8080/", "10.0.0.0/8:80", "*:80", "*.internal:80",
     "fd00::7:443", "me@localhost:80", "10.0.0.256:80", "a b:80"],
)  # fmt: skip
def test_anything_else_stops_the_start(entry: str, settings: Settings) -> None:
    settings.EGRESS_ALLOW = ["127.0.0.1:9", entry]

    assert ids() == ["celeriac.E012"]


def test_a_file_of_authorities_must_hold_some(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "authorities.pem"
    settings.EGRESS_CA_FILE = str(file)
    assert ids() == ["celeriac.E013"]
    file.write_text("nothing of that kind")
    assert ids() == ["celeriac.E013"]

    trustme.CA().cert_pem.write_to_path(file)

    assert ids() == []
