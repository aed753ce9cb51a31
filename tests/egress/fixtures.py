"""A receiver that the operator allows, names that lead where a test says, and a CA of the tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import trustme
from pytest_django import Settings

from jobs.egress import checking
from jobs.egress import names as naming
from tests.support.receiver import Receiver


class Names(dict[str, Sequence[str]]):
    """Names and their addresses; what is not in it is not known. `asked` counts the questions."""

    asked = 0

    def __call__(self, name: str) -> Sequence[str]:
        self.asked += 1
        if name not in self:
            raise OSError("not known")
        return self[name]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Instead of the system's resolver."""
    known = Names()
    monkeypatch.setattr(naming, "resolver", known)
    return known


@pytest.fixture(autouse=True)
def no_verdicts() -> Iterator[None]:
    """No test knows what another has found of a name."""
    checking.forget_verdicts()
    yield
    checking.forget_verdicts()


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    """On loopback, and allowed by its address."""
    with Receiver() as receiver:
        settings.EGRESS_ALLOW = [receiver.address]
        yield receiver


@pytest.fixture
def authority(settings: Settings, tmp_path: Path) -> trustme.CA:
    """Signs certificates that calls believe."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    settings.EGRESS_CA_FILE = str(tmp_path / "authority.pem")
    return authority
