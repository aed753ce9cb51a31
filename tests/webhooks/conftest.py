"""A tenant with a receiver that may be reached, though it is on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from accounts.models import Tenant
from tests.support.receiver import Receiver


@pytest.fixture
def acme(db: None) -> Tenant:
    return Tenant.objects.create(slug="acme")


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    with Receiver() as receiver:
        settings.EGRESS_ALLOW = [receiver.address]
        yield receiver
