"""Webhooks in a real browser: an endpoint is made, shows its secret once, and is told something."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.admin.webhooks_around import DELIVERIES, ENDPOINTS, attempted, made, page_of, told
from tests.browser.site import Site
from webhooks.models import Delivery, Endpoint, Event

_WIDTH = "document.documentElement.scrollWidth"
_MARK = "https://hooks.example.invalid/"


@pytest.fixture(autouse=True)
def _forgotten(site: Site) -> Iterator[None]:
    """Nothing of it is left for other tests, which follow every link and hand in jobs."""
    yield
    mine = Endpoint.objects.filter(url__startswith=_MARK)
    mine.update(enabled=False, disabled_because="by_hand", disabled_at="2026-01-01T00:00Z")
    told_of = list(Delivery.objects.filter(endpoint__in=mine).values_list("event", flat=True))
    Delivery.objects.filter(endpoint__in=mine).delete()
    Event.objects.filter(pk__in=told_of).delete()
    mine.delete()


def _url() -> str:
    return f"{_MARK}{os.urandom(4).hex()}"


def _made(site: Site) -> Endpoint:
    """It hears of nothing that other tests do."""
    return made(site.arena.tenant, _url(), events=["schedule.missed"], headers={"X-Key": "k"})


def _failed(site: Site) -> Delivery:
    delivery = told(_made(site), "failed")
    attempted(delivery)
    return delivery


def test_an_endpoint_is_made_with_headers_and_its_secret_is_shown_once(
    page: Page, site: Site
) -> None:
    url = _url()
    page.goto(f"{ENDPOINTS}add/?tenant={site.arena.tenant.slug}")
    page.get_by_label("URL").fill("ftp://example.com")
    page.get_by_label("Schedule missed a run").check()
    expect(page.get_by_label("First wait")).to_be_hidden()
    page.get_by_label("So many attempts").check()
    page.get_by_label("First wait").fill("2.5")
    headers = page.locator("[data-header]")
    expect(headers).to_have_count(2)
    page.get_by_role("button", name="One more").click()
    expect(headers).to_have_count(3)
    headers.nth(2).get_by_label("Name of the header").fill("X-Key")
    headers.nth(2).get_by_label("Value of the header").fill("a value")
    page.get_by_role("button", name="Make it").click()

    expect(page.locator("[data-field=url]")).to_contain_text("http://")
    expect(page.get_by_label("First wait")).to_have_value("2.5")
    page.get_by_label("URL").fill(url)
    page.get_by_role("button", name="Make it").click()
    expect(page.locator("#secret-text")).to_have_text(re.compile(r"^whsec_\S{44}$"))
    page.get_by_role("link", name="To the endpoint").click()

    expect(page.locator("[data-hears]")).to_have_text("Schedule missed a run")
    expect(page.locator("[data-endpoint-headers]")).to_contain_text("X-Key")
    endpoint = Endpoint.objects.get(url=url)
    assert (endpoint.events, endpoint.retry) == (["schedule.missed"], {"backoff_seconds": 2.5})
    expect(page.get_by_text("whsec_")).to_have_count(0)


def test_a_failed_delivery_is_looked_at_and_sent_again(page: Page, site: Site) -> None:
    delivery = _failed(site)
    page.goto(page_of(delivery.endpoint))
    expect(page.locator("[data-chart] rect.cel-fill-failed")).to_have_count(1)
    page.get_by_role("link", name="job.completed").click()
    expect(page.locator("[data-attempt]")).to_contain_text("The endpoint answered 500.")
    page.get_by_text("How the answer begins").click()
    expect(page.get_by_text("out of order")).to_be_visible()
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_text("1 delivery sent again.")).to_be_visible()


def test_the_chosen_rows_are_counted_and_acted_on(page: Page, site: Site) -> None:
    endpoint = _made(site)
    page.goto(f"{ENDPOINTS}?q={endpoint.pk}")
    button = page.get_by_role("button", name="Disable")
    expect(button).to_be_disabled()
    page.get_by_label(f"Choose {endpoint.url}").check()
    expect(page.get_by_text("1 chosen")).to_be_visible()
    button.click()
    expect(page.get_by_text("1 endpoint disabled.")).to_be_visible()
    expect(page.locator("[data-endpoint-state]")).to_have_text("disabled")


def test_without_javascript_a_header_is_added_and_the_secret_is_replaced(
    plain: Page, site: Site
) -> None:
    endpoint = _made(site)
    plain.goto(page_of(endpoint, "edit"))
    plain.get_by_label("Name of the header").nth(1).fill("X-More")
    plain.get_by_label("Value of the header").nth(1).fill("m")
    plain.get_by_role("button", name="Save").click()
    expect(plain.locator("[data-endpoint-headers]")).to_contain_text("X-More")
    plain.get_by_role("link", name="New secret…").click()
    plain.get_by_role("button", name="Make the new secret").click()
    expect(plain.locator("#secret-text")).to_contain_text("whsec_")
    plain.reload()
    expect(plain.get_by_text("That is done already")).to_be_visible()


@pytest.mark.parametrize("way", ["", "add/", "own-secret/", "change", "edit", "rotate", "replay"])
def test_on_a_narrow_screen_no_page_of_endpoints_scrolls_sideways(
    phone: Page, site: Site, way: str
) -> None:
    delivery = _failed(site)
    own = way in ("change", "edit", "rotate", "replay")
    phone.goto(page_of(delivery.endpoint, way) if own else f"{ENDPOINTS}{way}")
    expect(phone).to_have_title(re.compile(r"Celeriac$"))
    assert phone.evaluate(_WIDTH) <= 390


def test_on_a_narrow_screen_no_page_of_deliveries_scrolls_sideways(phone: Page, site: Site) -> None:
    delivery = _failed(site)
    for place in (DELIVERIES, page_of(delivery)):
        phone.goto(place)
        expect(phone).to_have_title(re.compile(r"Celeriac$"))
        assert phone.evaluate(_WIDTH) <= 390, place
