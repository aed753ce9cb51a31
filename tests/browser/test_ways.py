"""The most used ways through the admin, walked in a real browser over a real platform."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from typing import Any

import requests
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import ApiToken
from jobs import operations
from jobs.enqueue import enqueue
from jobs.models import Job
from jobs.operations import Actor
from jobs.options import JobOptions
from jobs.states import Status
from tests.browser.site import PASSWORD, Site
from tests.support.waiting import wait_for

WAITS = {"run_at": timezone.now() + timedelta(days=1)}
LONG = {"seconds": 600, "steps": 6000}
_BAR = "#job-live [data-job-progress]"


def _job(site: Site, type_name: str, payload: dict[str, Any], **options: Any) -> Job:
    return enqueue(site.arena.tenant, type_name, payload, JobOptions(**options)).job


def _open(page: Page, job: Job) -> None:
    page.goto(f"/admin/jobs/job/{job.pk}/change/")


def _label() -> tuple[str, str]:
    return "case", os.urandom(4).hex()


def _tile(page: Page, name: str) -> Locator:
    tiles = page.locator(".cel-tile").filter(has=page.get_by_text(name, exact=True))
    return tiles.locator("dd")


def _status(page: Page) -> Locator:
    return page.locator("#job-live [data-job-status]")


def test_after_signing_in_the_first_page_shows_figures_that_refresh_themselves(
    stranger: Page, site: Site
) -> None:
    stranger.goto("/admin/")
    expect(stranger).to_have_title("Log in | Celeriac")
    stranger.get_by_label("Username").fill(site.superuser().get_username())
    stranger.get_by_label("Password").fill(PASSWORD)
    stranger.get_by_role("button", name="Log in").click()
    expect(stranger).to_have_title("Dashboard | Celeriac")
    expect(stranger.locator("[data-state]")).to_contain_text("Beat shows no sign of life")
    expect(_tile(stranger, "Running")).to_have_text("0")
    stranger.evaluate("document.body.dataset.same = 'yes'")
    jobs = [_job(site, "diagnostics.sleep", LONG) for _ in range(5)]
    expect(_tile(stranger, "Running")).to_have_text("2")
    expect(_tile(stranger, "Waiting")).to_have_text("3")
    for job in reversed(jobs):
        operations.cancel(job, Actor(name="test"))
    expect(_tile(stranger, "Running")).to_have_text("0")
    expect(stranger.locator("body")).to_have_attribute("data-same", "yes")


def test_a_job_is_found_by_search_and_by_filter_and_its_bar_moves_to_the_end(
    page: Page, site: Site
) -> None:
    key, value = _label()
    job = _job(
        site, "diagnostics.sleep", {"seconds": 12, "steps": 120}, **WAITS, labels={key: value}
    )
    _job(site, "diagnostics.echo", {}, **WAITS, labels={key: value})
    page.goto("/admin/jobs/job/")
    page.get_by_label("Search").fill(f"{key}:{value}")
    page.get_by_label("Search").press("Enter")
    rows = page.locator("[data-job-list] [data-job-id]")
    expect(rows).to_have_count(2)
    page.get_by_label("Type").select_option("diagnostics.sleep")
    page.get_by_role("button", name="Show").click()
    expect(rows).to_have_count(1)
    rows.get_by_role("link", name="diagnostics.sleep").click()
    expect(_status(page)).to_have_text("scheduled")
    page.get_by_role("button", name="Run now").click()
    _watch_the_bar_move(page)
    expect(_status(page)).to_have_text("completed")
    expect(page.locator("[data-job-result]")).to_contain_text("12")
    assert site.arena.wait_for_status(job.pk, Status.COMPLETED, seconds=1)


def _watch_the_bar_move(page: Page) -> None:
    """Nobody touches the page meanwhile."""
    bar = page.locator(_BAR)
    expect(bar).to_have_attribute("data-job-progress", re.compile(r"^[1-9]"))
    first = bar.get_attribute("data-job-progress")
    page.wait_for_function(
        "([bar, first]) => Number(document.querySelector(bar)?.dataset.jobProgress) > first",
        arg=[_BAR, float(first or 0)],
    )


def test_a_running_job_is_cancelled_from_its_page(page: Page, site: Site) -> None:
    job = _job(site, "diagnostics.sleep", LONG)
    site.arena.wait_for_status(job.pk, Status.PROCESSING, seconds=60)
    _open(page, job)
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Yes, cancel").click()
    expect(page.get_by_text("1 job cancelled or asked to end.")).to_be_visible()
    expect(_status(page)).to_have_text("cancelled")
    assert site.arena.wait_for_status(job.pk, Status.CANCELLED, seconds=1)


def test_a_failed_job_is_retried_from_its_page(page: Page, site: Site) -> None:
    job = _failed(site)
    _open(page, job)
    expect(page.locator("[data-job-error]")).to_contain_text("Failed as asked.")
    page.get_by_role("button", name="Retry", exact=True).click()
    expect(page.get_by_text("1 job queued again.")).to_be_visible()
    expect(_status(page)).to_have_text("completed")


def _failed(site: Site, **options: Any) -> Job:
    """A job that fails at its first attempt, and would not at another."""
    job = _job(site, "diagnostics.fail", {"times": 1}, max_retries=0, **options)
    return site.arena.wait_for_status(job.pk, Status.FAILED, seconds=60)


def test_failed_jobs_are_retried_in_bulk_from_the_list(page: Page, site: Site) -> None:
    key, value = _label()
    jobs = [_failed(site, labels={key: value}) for _ in range(2)]
    page.goto(f"/admin/jobs/job/?q={key}:{value}")
    page.get_by_label("Status").select_option("failed")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("button", name="Retry")).to_be_disabled()
    page.get_by_label("Choose all jobs on this page").check()
    expect(page.get_by_text("2 chosen")).to_be_visible()
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("2 jobs queued again.")).to_be_visible()
    for job in jobs:
        site.arena.wait_for_status(job.pk, Status.COMPLETED, seconds=60)


def test_a_waiting_job_is_boosted_from_its_page(page: Page, site: Site) -> None:
    job = _job(site, "diagnostics.echo", {}, priority=40, **WAITS)
    _open(page, job)
    page.get_by_label("Boost by").fill("35")
    page.get_by_role("button", name="Boost").click()
    expect(page.get_by_text("1 job boosted.")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^Priority"))).to_contain_text("75")
    assert Job.objects.get(pk=job.pk).priority == 75


def test_a_scheduled_job_is_run_now_from_the_list(page: Page, site: Site) -> None:
    job = _job(site, "diagnostics.echo", {}, **WAITS)
    page.goto(f"/admin/jobs/job/?q={job.pk}")
    page.get_by_label(re.compile("^Choose job")).check()
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_text("1 job queued to run now.")).to_be_visible()
    site.arena.wait_for_status(job.pk, Status.COMPLETED, seconds=60)


def test_a_token_is_shown_once_copied_used_and_revoked(page: Page, site: Site) -> None:
    name = f"token-{os.urandom(4).hex()}"
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.url)
    page.goto("/admin/accounts/apitoken/add/")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Save").click()
    text = page.locator("[data-once]").inner_text()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == text
    assert _me(site, text) == 200
    page.get_by_role("link", name="To the tokens").click()
    page.get_by_role("link", name=name).click()
    assert text.rpartition("_")[2] not in page.content()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Revoke this token").click()
    expect(page.get_by_text(f"{name} is revoked.")).to_be_visible()
    wait_for(lambda: _me(site, text) == 401, seconds=30, what="the token is refused")
    assert ApiToken.objects.get(name=name).revoked_at is not None


def _me(site: Site, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{site.url}/api/v1/me", headers=headers, timeout=30).status_code
