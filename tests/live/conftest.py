"""A whole Celeriac with a web process for all tests of this directory; they watch it as programs
would."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from jobs import registry
from tests.browser.site import Site
from tests.live.watching import Watch
from tests.support.arena import Arena
from tests.testapp import tasks

ORIGIN = "https://app.example"


@pytest.fixture(scope="package")
def _site(django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    home = Path(tempfile.mkdtemp(prefix="celeriac-live-"))
    settings = {"RATE_LIMIT_ENABLED": "0", "CORS_ALLOWED_ORIGINS": ORIGIN, "LIVE_STREAMS": "800"}
    registry.register(tasks.held)
    registry.register(tasks.work)
    with (
        django_db_blocker.unblock(),
        Arena.at(home).open() as arena,
        Site(arena, **settings).at_work() as site,
        site.telling(),
    ):
        yield site
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def site(_site: Site, django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    with django_db_blocker.unblock():
        yield _site
    sys.stdout.write(_site.arena.new_log_lines())  # pytest shows it with a failure only


@pytest.fixture
def watch(site: Site) -> Iterator[Watch]:
    """A token of the tenant `default`, and whatever is opened with it; closed at the end."""
    with Watch(site) as watching:
        yield watching
