"""One whole Celeriac for all the tests of this directory, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from celeriac_client import Client
from pytest_django import DjangoDbBlocker

from tests.browser.site import Site
from tests.examples.stack import token_of, whole_site


@pytest.fixture(scope="package")
def _site(django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    with whole_site(django_db_blocker) as site:
        yield site


@pytest.fixture
def site(_site: Site, django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    with django_db_blocker.unblock():
        yield _site


@pytest.fixture
def client(site: Site) -> Client:
    return Client(site.url, token_of(site.arena.tenant))
