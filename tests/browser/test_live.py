"""The browser client before the real server: `/try/`, and each way of hearing of a job."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.site import Site
from tests.browser.visit import PATIENCE, visit
from tests.support.waiting import wait_for

_SLEEP = {"seconds": 6, "steps": 60}
_LOAD = """async (options) => {
    const { Celeriac } = await import('/static/celeriac/celeriac.js');
    window.celeriac = new Celeriac({ tenant: 'default', pollSeconds: 0.5, ...options });
}"""
_WATCH = """([id, options]) => {
    window.heard = [];
    window.states = [];
    window.end = null;
    const onEvent = (event) => heard.push(event);
    const onState = (state) => states.push(state);
    const watch = celeriac.watch(id, { ...options, onEvent, onState });
    watch.ended.then((job) => { end = job; }, (error) => { end = { failed: error.message }; });
}"""


@pytest.fixture
def staff(site: Site) -> User:
    return site.superuser()


@pytest.fixture
def tried(browser: Browser, site: Site, staff: User) -> Iterator[Page]:
    """`/try/`, opened by a person of the staff. Nothing foreign is asked, no error is told."""
    with visit(browser, site, staff) as page:
        page.goto("/try/")
        yield page


def _hand_in(page: Page, **payload: Any) -> Locator:
    page.get_by_label("Type").fill("diagnostics.sleep")
    page.get_by_label("Payload").fill(json.dumps(payload))
    page.get_by_role("button", name="Hand in").click()
    shown = page.locator("#jobs celeriac-job").first
    expect(shown).to_have_attribute("state", "live")
    return shown


def _enqueued(site: Site, **payload: Any) -> str:
    return str(site.arena.enqueue("diagnostics.sleep", **payload).pk)


def _until(page: Page, condition: str) -> None:
    """Playwright's own way would need a policy that lets a page make code of text."""
    wait_for(lambda: page.evaluate(condition), seconds=60, what=condition)


def _ended(page: Page) -> dict[str, Any]:
    _until(page, "end")
    end: dict[str, Any] = page.evaluate("end")
    return end


def test_a_job_handed_in_on_the_page_is_seen_live_to_its_end(tried: Page) -> None:
    sockets: list[str] = []
    tried.on("websocket", lambda socket: sockets.append(socket.url))
    shown = _hand_in(tried, **_SLEEP)
    expect(shown.get_by_role("status")).to_have_text("processing")
    bar = shown.get_by_role("progressbar")
    expect(bar).not_to_have_attribute("aria-valuenow", "0")
    expect(shown.get_by_role("status")).to_have_text("completed")
    assert any("only=named" in url for url in sockets)


def test_a_job_is_cancelled_by_the_button_of_its_element(tried: Page) -> None:
    shown = _hand_in(tried, seconds=600, steps=6000)
    expect(shown.get_by_role("status")).to_have_text("processing")
    shown.get_by_role("button", name="Cancel").click()
    expect(shown.get_by_role("status")).to_have_text("cancelled")


@pytest.mark.parametrize("transport", ["websocket", "sse", "poll"])
def test_each_way_brings_a_job_to_its_end(tried: Page, site: Site, transport: str) -> None:
    tried.evaluate(_LOAD, {})
    tried.evaluate(_WATCH, [_enqueued(site, **_SLEEP), {"transport": transport}])
    assert _ended(tried)["status"] == "completed"
    heard = tried.evaluate("heard")
    assert heard[0]["event"] == "job.snapshot"
    assert any(0 < one["data"]["progress"] < 100 for one in heard)
    told = [one["event"] for one in heard if not one.get("polled")]
    assert ("job.completed" in told) == (transport != "poll")


@pytest.mark.parametrize("transport", ["auto", "sse"])
def test_a_watch_goes_on_when_the_web_process_is_another_one(
    browser: Browser, site: Site, staff: User, transport: str
) -> None:
    """A browser says in its console that it could not connect, so that is not looked at."""
    with browser.new_context(base_url=site.url) as context:
        name, session = settings.SESSION_COOKIE_NAME, site.session_of(staff)
        context.add_cookies([{"name": name, "value": session, "url": site.url}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto("/try/")
        page.evaluate(_LOAD, {})
        job = _enqueued(site, seconds=600, steps=6000)
        page.evaluate(_WATCH, [job, {"transport": transport}])
        _until(page, "states.at(-1) === 'live' && heard.at(-1).data.progress > 0")
        site.restart_web()
        _until(page, "states.includes('waiting') && states.at(-1) === 'live'")
        before = page.evaluate("heard.length")
        _until(page, f"heard.length > {before} + 1")
        page.evaluate("id => celeriac.cancel(id).then(() => 0)", job)
        assert _ended(page)["status"] == "cancelled"
