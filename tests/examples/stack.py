"""A whole Celeriac with a web process, for programs to call."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from pytest_django import DjangoDbBlocker

from accounts import tokens
from accounts.models import Tenant
from tests.browser.site import Site
from tests.support.arena import Arena


@contextmanager
def whole_site(blocker: DjangoDbBlocker) -> Iterator[Site]:
    home = Path(tempfile.mkdtemp(prefix="celeriac-programs-"))
    try:
        with blocker.unblock(), Arena.at(home).open() as arena, Site(arena).at_work() as site:
            yield site
            sys.stdout.write(arena.new_log_lines())  # pytest shows it with a failure only
    finally:
        shutil.rmtree(home, ignore_errors=True)


def token_of(tenant: Tenant | None, scopes: Collection[str] = ("admin",)) -> str:
    """A new token's text; of no tenant: a platform admin's."""
    return tokens.issue(name=uuid4().hex, tenant=tenant, scopes=scopes, owner="").text
