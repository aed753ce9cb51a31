"""A person with a browser of his own. Every page is watched: no request to another host, no error
in its console."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.site import Site

WIDE = ViewportSize(width=1280, height=900)
NARROW = ViewportSize(width=390, height=844)
PATIENCE = 30_000  # milliseconds, for a machine that has much else to do

expect.set_options(timeout=PATIENCE)


@contextmanager
def visit(
    browser: Browser, site: Site, person: User | None = None, **options: Any
) -> Iterator[Page]:
    """A page at no address yet; `person` is signed in. `options` are those of Playwright."""
    asked = {"base_url": site.url, "viewport": WIDE, "reduced_motion": "reduce", **options}
    with browser.new_context(**asked) as context:
        if person is not None:
            name, session = settings.SESSION_COOKIE_NAME, site.session_of(person)
            context.add_cookies([{"name": name, "value": session, "url": site.url}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        foreign, errors = _watch(page, site)
        yield page
    assert not foreign, f"a page asked another host: {foreign}"
    assert not errors, f"a page had errors: {errors}"


def _watch(page: Page, site: Site) -> tuple[list[str], list[str]]:
    foreign: list[str] = []
    errors: list[str] = []
    own = (urlsplit(site.url).netloc, "")

    def asked(url: str) -> None:
        if urlsplit(url).netloc not in own:
            foreign.append(url)

    page.on("request", lambda request: asked(request.url))
    page.on("websocket", lambda websocket: asked(websocket.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda message: errors.append(message.text) if message.type == "error" else None,
    )
    return foreign, errors
