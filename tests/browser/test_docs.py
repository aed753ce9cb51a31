"""The page of the API: it asks nobody else, obeys a strict policy, and calls can be tried on it."""

from __future__ import annotations

import os
from uuid import uuid4

from playwright.sync_api import Browser, Page, expect

from accounts import tokens
from jobs.models import Job
from tests.browser.site import Site
from tests.browser.visit import visit

DOCS = "/api/v1/docs/"
_LIGHTNESS = """() => {
    const [red, green, blue] = getComputedStyle(document.body).backgroundColor.match(/\\d+/g);
    return (Number(red) + Number(green) + Number(blue)) / 3;
}"""


def _open(page: Page) -> None:
    page.goto(DOCS)
    expect(page.locator("#operations-jobs-create_job")).to_be_visible()


def _picture(page: Page, name: str) -> None:
    """For those who want to look at it."""
    if place := os.environ.get("CELERIAC_PICTURES"):
        page.screenshot(path=f"{place}/{name}.png")


def _create(page: Page) -> None:
    """Try the call that hands in a job, with its first example."""
    call = page.locator("#operations-jobs-create_job")
    call.locator(".opblock-summary-control").click()
    call.get_by_role("button", name="Try it out").click()
    call.get_by_role("button", name="Execute").click()
    expect(call.locator(".live-responses-table .response-col_status").nth(1)).to_contain_text("201")
    _picture(page, "docs-created")


def test_a_stranger_reads_it_and_no_other_host_is_asked(stranger: Page) -> None:
    answered = stranger.goto(DOCS)
    assert answered is not None
    policy = answered.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    expect(stranger).to_have_title("API | Celeriac")
    expect(stranger.locator("#operations-jobs-create_job")).to_be_visible()
    assert "celeriac" in (stranger.locator("link[rel=icon]").get_attribute("href") or "")
    _picture(stranger, "docs-light")


def test_a_job_is_handed_in_with_a_token(stranger: Page, site: Site) -> None:
    token = tokens.issue(
        name=uuid4().hex, tenant=site.arena.tenant, scopes=("jobs:write",), owner=""
    )
    _open(stranger)
    stranger.get_by_role("button", name="Authorize").first.click()
    stranger.get_by_label("auth-bearer-value").fill(token.text)
    stranger.locator(".auth-container").first.get_by_role("button", name="Apply").click()
    stranger.get_by_role("button", name="Close").first.click()
    _create(stranger)
    assert Job.objects.latest("seq").created_by == f"token:{token.token.name}"
    assert stranger.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])") == (
        "[{},{}]"
    )


def test_a_job_is_handed_in_by_somebody_who_has_signed_in(page: Page) -> None:
    _open(page)
    _create(page)
    assert Job.objects.latest("seq").created_by.startswith("user:")


def test_it_is_dark_for_those_who_want_it(browser: Browser, site: Site) -> None:
    with visit(browser, site, color_scheme="dark") as dark:
        _open(dark)
        assert dark.evaluate(_LIGHTNESS) < 60
        _picture(dark, "docs-dark")
