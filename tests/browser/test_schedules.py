"""Schedules in a real browser: made in the form with its preview, run, looked back on."""

from __future__ import annotations

import os
import re

import pytest
from playwright.sync_api import Page, expect

from scheduling.models import Schedule
from tests.browser.site import Site
from tests.scheduling.making import made

SCHEDULES = "/admin/scheduling/schedule/"
_WIDTH = "document.documentElement.scrollWidth"


def _name() -> str:
    return f"schedule {os.urandom(4).hex()}"


def _made(site: Site) -> Schedule:
    return made(site.arena.tenant, "@daily", name=_name())


def test_a_schedule_is_made_with_its_preview_run_by_hand_and_looked_back_on(
    page: Page, site: Site
) -> None:
    name = _name()
    page.goto(f"{SCHEDULES}add/?tenant={site.arena.tenant.slug}")
    preview = page.locator("[data-rule-preview]")
    expect(preview).to_contain_text("Write a rule")

    page.get_by_label("Rule").press_sequentially("61 * * * *")
    expect(preview.locator("[data-preview=refused]")).to_contain_text("minute")
    page.get_by_label("Rule").fill("30 7 * * 1-5")
    expect(preview).to_contain_text("Every weekday at 07:30")
    expect(preview.locator("time")).to_have_count(5)
    page.get_by_label("Time zone").fill("Asia/Nowhere")
    expect(preview).to_contain_text("not a time zone")
    page.get_by_label("Time zone").fill("Asia/Tokyo")
    expect(preview.locator("time").first).to_contain_text(", 07:30")

    page.get_by_label("Name").fill(name)
    page.get_by_label("Job type").select_option("diagnostics.echo")
    page.get_by_label("Payload").fill("{not json")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[data-field=payload]")).to_contain_text("is not JSON")
    expect(preview).to_contain_text("Every weekday at 07:30")
    page.get_by_label("Payload").fill('{"text": "good morning"}')
    page.get_by_role("button", name="Save").click()

    expect(page.locator("[data-in-words]")).to_have_text("Every weekday at 07:30")
    expect(page.get_by_text("It has not run yet.")).to_be_visible()
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_text("1 schedule run now.")).to_be_visible()
    page.locator("[data-run] [data-run-job]").click()
    expect(page.locator("[data-job-page]")).to_contain_text("diagnostics.echo")
    assert Schedule.objects.get(name=name).timezone == "Asia/Tokyo"


def test_the_switch_in_the_list_switches_its_own_row_alone(page: Page, site: Site) -> None:
    one, two = _made(site), _made(site)
    page.goto(SCHEDULES)
    page.get_by_label(f"Choose {two.name}").check()
    switch = page.get_by_role("switch", name=one.name)
    expect(switch).to_have_attribute("aria-checked", "true")
    switch.press("Enter")
    expect(page.get_by_text("1 schedule switched off.")).to_be_visible()
    expect(page.get_by_role("switch", name=one.name)).to_have_attribute("aria-checked", "false")
    assert Schedule.objects.get(pk=two.pk).enabled


def test_the_chosen_rows_are_counted_and_acted_on(page: Page, site: Site) -> None:
    one = _made(site)
    page.goto(f"{SCHEDULES}?q={one.pk}")
    button = page.get_by_role("button", name="Switch off")
    expect(button).to_be_disabled()
    page.get_by_label(f"Choose {one.name}").check()
    expect(page.get_by_text("1 chosen")).to_be_visible()
    button.click()
    expect(page.get_by_text("1 schedule switched off.")).to_be_visible()
    assert not Schedule.objects.get(pk=one.pk).enabled


def test_without_javascript_a_schedule_is_made_and_run(plain: Page, site: Site) -> None:
    name = _name()
    plain.goto(f"{SCHEDULES}add/?tenant={site.arena.tenant.slug}")
    plain.get_by_label("Name").fill(name)
    plain.get_by_label("Rule").fill("@daily")
    plain.get_by_label("Job type").select_option("diagnostics.echo")
    plain.get_by_role("button", name="Save").click()
    expect(plain.locator("[data-schedule-next] time")).to_have_count(5)
    plain.get_by_role("button", name="Run now").click()
    expect(plain.locator("[data-run]")).to_have_count(1)


@pytest.mark.parametrize("way", ["", "day/", "add/", "change", "edit", "backfill"])
def test_on_a_narrow_screen_nothing_scrolls_sideways(phone: Page, site: Site, way: str) -> None:
    schedule = _made(site)
    own = way in ("change", "edit", "backfill")
    phone.goto(f"{SCHEDULES}{schedule.pk}/{way}/" if own else f"{SCHEDULES}{way}")
    expect(phone).to_have_title(re.compile(r"Celeriac$"))
    assert phone.evaluate(_WIDTH) <= 390
