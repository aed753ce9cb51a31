"""What holds for every page: it loads, fits, is dark for those who want it, works with the keyboard
alone and without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule
from playwright.sync_api import Page, expect

from jobs.enqueue import JobOptions, enqueue
from jobs.models import Job
from jobs.states import Status
from tests.browser.site import Site

_HREFS = "links => links.map(link => link.href)"
_FOREIGN = """() => [...document.querySelectorAll('[src], [href], [action]')]
    .map(one => one.getAttribute('src') || one.getAttribute('href') || one.getAttribute('action'))
    .filter(address => /^(https?:)?[/][/]/.test(address))"""
_WIDTH = "document.documentElement.scrollWidth"
# How light a colour is, 0 to 255, as it is painted.
_LIGHTNESS = """(element, property) => {
    const pen = document.createElement('canvas').getContext('2d');
    pen.fillStyle = getComputedStyle(element)[property];
    pen.fillRect(0, 0, 1, 1);
    const [red, green, blue] = pen.getImageData(0, 0, 1, 1).data;
    return (red + green + blue) / 3;
}"""
_FOCUSED = """() => {
    const one = document.activeElement, style = getComputedStyle(one);
    const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
    return [one.dataset.jobAction || '', outlined || style.boxShadow !== 'none'];
}"""
MOST_TABS = 80


def _scheduled(site: Site) -> Job:
    options = JobOptions(run_at=timezone.now() + timedelta(days=1))
    return enqueue(site.arena.tenant, "diagnostics.echo", {"text": "wide " * 40}, options).job


def _page_of(job: Job) -> str:
    return f"/admin/jobs/job/{job.pk}/change/"


def test_every_page_of_the_menu_and_every_kind_of_page_behind_it_opens(
    page: Page, site: Site
) -> None:
    site.arena.wait_for_status(
        site.arena.enqueue("diagnostics.echo", a=1).pk, Status.COMPLETED, seconds=60
    )
    page.goto("/admin/")
    ways = _own(page.locator("#nav-sidebar a, nav a").evaluate_all(_HREFS), site)
    assert len(ways) > 10
    seen = {_kind(way) for way in ways}
    for way in ways:
        behind = _opened(page, way, site)
        new = [one for one in behind if _kind(one) not in seen]
        seen.update(map(_kind, new))
        for one in new:
            _look_at(page, one, site)


def test_a_periodic_tasks_crontab_is_told_in_words(page: Page, site: Site) -> None:
    nightly = CrontabSchedule.objects.create(minute="30", hour="4", timezone="UTC")
    page.goto("/admin/django_celery_beat/periodictask/add/")
    told = page.locator("[data-crontab-in-words]")
    expect(told).to_be_empty()
    page.locator("#id_crontab").select_option(str(nightly.pk))
    expect(told).to_contain_text("04:30")


def _look_at(page: Page, address: str, site: Site) -> None:
    """A page that only sorts or filters another is that page to the browser; it has to answer."""
    if urlsplit(address).query:
        answer = page.request.get(address)
        assert answer.ok, f"{address}: {answer.status}"
    else:
        _opened(page, address, site)


def _own(addresses: Iterable[str], site: Site) -> list[str]:
    """Each kind of page once, without those that end the visit or are another program's."""
    kinds: dict[str, str] = {}
    for address in addresses:
        if address.startswith(site.url) and "logout" not in address:
            kinds.setdefault(_kind(address), address)
    return list(kinds.values())


def _kind(address: str) -> str:
    """Pages of one kind differ in the thing that they show, or in what is asked for."""
    parts = urlsplit(address)
    path = re.sub(r"[0-9a-f-]{32,}|(?<=/)\d+(?=/)", "*", parts.path)
    return f"{path}?{','.join(sorted(parse_qs(parts.query)))}"


def _opened(page: Page, address: str, site: Site) -> list[str]:
    """Open it, look that it is sound, and return where it leads."""
    answer = page.goto(address)
    assert answer is not None
    assert answer.status < 400, f"{address}: {answer.status}"
    expect(page).to_have_title(re.compile(r"Celeriac$"))
    led = page.evaluate(_FOREIGN)
    foreign = [one for one in led if not one.startswith(settings.FLOWER_PUBLIC_URL)]
    assert not foreign, f"{address} leads elsewhere: {foreign}"
    return _own(page.locator("#main a").evaluate_all(_HREFS), site)


def test_on_a_narrow_screen_nothing_scrolls_sideways_and_the_menu_opens(
    phone: Page, site: Site
) -> None:
    job = _scheduled(site)
    for address in ("/admin/", "/admin/jobs/job/", _page_of(job)):
        phone.goto(address)
        assert phone.evaluate(_WIDTH) <= 390, address
    way = phone.locator("#nav-sidebar-apps, nav").get_by_text("Queues")
    expect(way).to_be_hidden()
    phone.get_by_text("dock_to_right").locator("visible=true").click()
    expect(way).to_be_visible()
    way.click()
    expect(phone).to_have_title("Queues | Celeriac")


@pytest.mark.parametrize("address", ["/admin/", "/admin/jobs/job/"])
def test_who_prefers_dark_colours_gets_a_dark_page(dark: Page, site: Site, address: str) -> None:
    _scheduled(site)
    dark.goto(address)
    expect(dark.locator("html")).to_have_class(re.compile(r"\bdark\b"))
    assert dark.locator("body").evaluate(_LIGHTNESS, "backgroundColor") < 60
    assert dark.locator("h1, body").first.evaluate(_LIGHTNESS, "color") > 120


def test_the_actions_of_a_job_are_reached_and_done_with_the_keyboard_alone(
    page: Page, site: Site
) -> None:
    job = _scheduled(site)
    page.goto(_page_of(job))
    reached = set()
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        action, visible = page.evaluate(_FOCUSED)
        if action:
            assert visible, f"{action} does not show that it has the focus"
            reached.add(action)
        if action == "cancel":
            break
    assert reached == {"run-now", "boost", "cancel"}
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Yes, cancel")).to_be_visible()
    page.get_by_role("button", name="Yes, cancel").press("Enter")
    expect(page.locator("#job-live [data-job-status]")).to_have_text("cancelled")


def test_without_javascript_the_list_the_page_and_an_action_work(plain: Page, site: Site) -> None:
    job = _scheduled(site)
    plain.goto(f"/admin/jobs/job/?q={job.pk}")
    plain.get_by_label(re.compile("^Choose job")).check()
    plain.get_by_role("button", name="Boost").click()
    expect(plain.get_by_text("1 job boosted.")).to_be_visible()
    plain.get_by_role("link", name="diagnostics.echo").click()
    plain.get_by_role("button", name="Cancel", exact=True).click()
    plain.get_by_role("button", name="Yes, cancel").click()
    expect(plain.locator("#job-live [data-job-status]")).to_have_text("cancelled")
