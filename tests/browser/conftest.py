"""A browser and a whole Celeriac before it, one of each for all the tests of this directory."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from pytest_django import DjangoDbBlocker

from tests.browser.chromium import chromium, program
from tests.browser.site import Site
from tests.browser.visit import NARROW, visit
from tests.support.arena import Arena


@pytest.fixture(scope="package")
def browser(_package_patch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """Of this package: the event loop that Playwright keeps running would be in the way of others.
    Django, which would refuse to query beside it, is told not to mind."""
    _package_patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    if program() is None:
        assert not os.environ.get("CI"), "the checks need a Chromium"
        pytest.skip("there is no Chromium on this machine")
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def _package_patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="package")
def _site(browser: Browser, django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    home = Path(tempfile.mkdtemp(prefix="celeriac-site-"))
    with django_db_blocker.unblock(), Arena.at(home).open() as arena, Site(arena).at_work() as site:
        yield site
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def site(_site: Site, django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    with django_db_blocker.unblock():
        yield _site
    sys.stdout.write(_site.arena.new_log_lines())  # pytest shows it with a failure only


@pytest.fixture
def stranger(browser: Browser, site: Site) -> Iterator[Page]:
    """A page of somebody who has not signed in."""
    with visit(browser, site) as page:
        yield page


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A page of a browser of its own, signed in as a platform admin."""
    with visit(browser, site, site.superuser()) as page:
        yield page


@pytest.fixture
def dark(browser: Browser, site: Site) -> Iterator[Page]:
    """The same, of somebody whose machine prefers dark colours."""
    with visit(browser, site, site.superuser(), color_scheme="dark") as page:
        yield page


@pytest.fixture
def phone(browser: Browser, site: Site) -> Iterator[Page]:
    """The same, on a screen as wide as a telephone."""
    with visit(browser, site, site.superuser(), viewport=NARROW) as page:
        yield page


@pytest.fixture
def plain(browser: Browser, site: Site) -> Iterator[Page]:
    """The same, without JavaScript."""
    with visit(browser, site, site.superuser(), java_script_enabled=False) as page:
        yield page
