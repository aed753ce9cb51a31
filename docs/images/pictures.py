"""Which pictures there are, and how each is taken."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect

from docs.images.stage import LOGIN, Shop, Stage
from tests.browser.chromium import chromium
from tests.browser.visit import NARROW
from webhooks.models import Delivery, Endpoint

HERE = Path(__file__).parent
WIDE = ViewportSize(width=1280, height=860)
COLOURS = 128
_SETTLE = "document.fonts.ready"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """`scheme` is light or dark; a narrow one is as a telephone shows it."""

    name: str
    address: str
    scheme: str = "light"
    narrow: bool = False

    @property
    def file(self) -> Path:
        return HERE / f"{self.name}-{'narrow' if self.narrow else self.scheme}.png"


def take(home: Path, *, only: Collection[str]) -> None:
    with Stage(home).open() as stage, Shop(stage).at_work() as shop, chromium() as browser:
        shop.populate()
        session = shop.session_of(shop.ada)
        for picture in _pictures(shop):
            if not only or picture.name in only:
                _take(picture, browser, shop.url, session)


def _pictures(shop: Shop) -> Iterator[Picture]:
    pages = {
        "dashboard": "/admin/?span=6h",
        "jobs": "/admin/jobs/job/",
        "job": _job(shop.notes.pk),
        "job-failed": _job(shop.failed.pk),
        "queues": "/admin/jobs/queue/",
        "schedules": "/admin/scheduling/schedule/",
        "schedule": _schedule(shop, "change"),
        "schedule-form": _schedule(shop, "edit"),
        "coming-day": "/admin/scheduling/schedule/day/",
        "webhooks": "/admin/webhooks/endpoint/",
        "endpoint": _webhook(shop.endpoint),
        "endpoint-form": f"/admin/webhooks/endpoint/{shop.endpoint.pk}/edit/",
        "deliveries": "/admin/webhooks/delivery/",
        "delivery": _webhook(shop.delivery),
        "workers": "/admin/jobs/worker/",
        "tokens": "/admin/accounts/apitoken/",
        "audit": "/admin/accounts/auditentry/",
        "flower": f"{shop.flower_url}/workers",
    }
    for name, address in pages.items():
        for scheme in ("light", "dark"):
            yield Picture(name=name, address=address, scheme=scheme)
    for name, address in (("dashboard", "/admin/"), ("jobs", "/admin/jobs/job/")):
        yield Picture(name=name, address=address, narrow=True)
    yield Picture(name="job", address=_job(shop.running.pk), narrow=True)
    yield Picture(name="schedules", address="/admin/scheduling/schedule/", narrow=True)
    yield Picture(name="webhooks", address="/admin/webhooks/endpoint/", narrow=True)


def _job(job_id: object) -> str:
    return f"/admin/jobs/job/{job_id}/change/"


def _schedule(shop: Shop, page: str) -> str:
    return f"/admin/scheduling/schedule/{shop.schedule.pk}/{page}/"


def _webhook(row: Endpoint | Delivery) -> str:
    return f"/admin/webhooks/{row._meta.model_name}/{row.pk}/change/"


def _take(picture: Picture, browser: Browser, url: str, session: str) -> None:
    with browser.new_context(
        base_url=url,
        viewport=NARROW if picture.narrow else WIDE,
        color_scheme="dark" if picture.scheme == "dark" else "light",
        reduced_motion="reduce",
        http_credentials={"username": LOGIN[0], "password": LOGIN[1]}
        if picture.address.startswith("http")
        else None,
    ) as context:
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": session, "url": url}])
        page = context.new_page()
        answer = page.goto(picture.address, wait_until="networkidle")
        assert answer is not None
        assert answer.ok, f"{picture.address}: {answer.status}"
        _settle(page)
        _write(page.screenshot(), picture.file)


def _settle(page: Page) -> None:
    """Fonts are there, and Flower's table has its workers."""
    page.evaluate(_SETTLE)
    if page.locator("#workers-table").count():
        expect(page.locator("#workers-table tbody tr")).to_have_count(2)


def _write(picture: bytes, file: Path) -> None:
    """With so few colours that it is small."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
