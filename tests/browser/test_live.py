"""The browser client before the real server: `/try/`, and each way of hearing of a job."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Locator, Page, expect

from jobs import lifecycle
from jobs.message import FencedJob
from jobs.states import Status
from tests.browser.site import Site
from tests.browser.visit import PATIENCE, visit
from tests.support.waiting import wait_for

_LONG = {"seconds": 600, "steps": 6000}
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


@pytest.fixture
def _telling(site: Site) -> Iterator[None]:
    with site.telling():
        yield


def _hand_in(page: Page, type_name: str, **payload: Any) -> Locator:
    page.get_by_label("Type").fill(type_name)
    page.get_by_label("Payload").fill(json.dumps(payload))
    page.get_by_role("button", name="Hand in").click()
    shown = page.locator("#jobs celeriac-job").first
    expect(shown).to_have_attribute("state", "live")
    return shown


def _created(page: Page, type_name: str, **payload: Any) -> str:
    """The id of a job that the page's client handed in."""
    create = "([type, payload]) => celeriac.create(type, payload).then((job) => job.id)"
    job_id: str = page.evaluate(create, [type_name, payload])
    return job_id


def _report(site: Site, job_id: str, percent: int) -> None:
    """Say of a held job what its code would, as soon as it runs."""
    job = site.arena.wait_for_status(UUID(job_id), Status.PROCESSING, seconds=60)
    lifecycle.progress(FencedJob(job.pk, job.fence), percent=percent, message="")


def _until(page: Page, condition: str) -> None:
    """Playwright's own way would need a policy that lets a page make code of text."""
    wait_for(lambda: page.evaluate(condition), seconds=60, what=condition)


def _ended(page: Page) -> dict[str, Any]:
    _until(page, "end")
    end: dict[str, Any] = page.evaluate("end")
    return end


@pytest.mark.usefixtures("_telling")
def test_a_job_handed_in_on_the_page_is_seen_live_to_its_end(tried: Page, site: Site) -> None:
    """It is held until each step was seen, however long the browser takes."""
    sockets: list[str] = []
    tried.on("websocket", lambda socket: sockets.append(socket.url))
    with site.arena.held():
        shown = _hand_in(tried, "testing.held", seconds=0)
        expect(shown.get_by_role("status")).to_have_text("processing")
        _report(site, shown.get_attribute("job-id") or "", 30)
        expect(shown.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "30")
    expect(shown.get_by_role("status")).to_have_text("completed")
    assert any("only=named" in url for url in sockets)


def test_a_job_moves_its_bar_and_is_cancelled_by_the_button_of_its_element(tried: Page) -> None:
    shown = _hand_in(tried, "diagnostics.sleep", **_LONG)
    expect(shown.get_by_role("status")).to_have_text("processing")
    bar = shown.get_by_role("progressbar")
    expect(bar).not_to_have_attribute("aria-valuenow", "0")  # by what its own code says
    shown.get_by_role("button", name="Cancel").click()
    expect(shown.get_by_role("status")).to_have_text("cancelled")


@pytest.mark.usefixtures("_telling")
@pytest.mark.parametrize("transport", ["websocket", "sse", "poll"])
def test_each_way_brings_a_job_to_its_end(tried: Page, site: Site, transport: str) -> None:
    tried.evaluate(_LOAD, {})
    with site.arena.held():
        job = _created(tried, "testing.held", seconds=0)
        tried.evaluate(_WATCH, [job, {"transport": transport}])
        _report(site, job, 30)
        _until(tried, "heard.some((one) => one.data.progress === 30)")
    assert _ended(tried)["status"] == "completed"
    heard = tried.evaluate("heard")
    assert heard[0]["event"] == "job.snapshot"
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
        job = _created(page, "diagnostics.sleep", **_LONG)
        page.evaluate(_WATCH, [job, {"transport": transport}])
        _until(page, "states.at(-1) === 'live' && heard.at(-1).data.progress > 0")
        site.restart_web()
        _until(page, "states.includes('waiting') && states.at(-1) === 'live'")
        before = page.evaluate("heard.length")
        _until(page, f"heard.length > {before} + 1")
        page.evaluate("id => celeriac.cancel(id).then(() => 0)", job)
        assert _ended(page)["status"] == "cancelled"
