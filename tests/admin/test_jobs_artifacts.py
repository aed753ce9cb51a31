"""What a job left behind, on its page and at the terminal."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from accounts.roles import Role
from jobs.models import Job
from tests.admin.conftest import Browser
from tests.admin.jobs_around import page_of, queues
from tests.jobs.making import queued, start
from tests.support.artifacts import complete_stored, hand_over
from tests.support.files import storage_at

pytestmark = pytest.mark.django_db(transaction=True)
NAME = '"<b>notes.txt'


@pytest.fixture(autouse=True)
def _around(transactional_db: None, tmp_path: Path, settings: Settings) -> None:
    queues()
    storage_at(tmp_path / "artifacts", settings, "artifacts")


@pytest.fixture
def job(acme: Tenant) -> Job:
    """One that handed a file over and has a large result."""
    made = queued(acme)
    held = start(made)
    hand_over(held, NAME, "x" * 2048)
    complete_stored(held)
    return made


def _page(browser: Browser, job: Job) -> str:
    return browser(Role.VIEWER).get(page_of(job)).content.decode()


def _links(page: str) -> list[str]:
    return [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+\?link=[^"]+)"', page)]


def test_the_page_has_links_that_can_be_followed(job: Job, browser: Browser) -> None:
    page = _page(browser, job)

    assert "<b>notes" not in page
    assert "&lt;b&gt;notes.txt" in page
    assert "2.0\xa0KB" in page
    result, artifact = _links(page)
    assert "too large to be shown here" in page
    for link, size in ((result, 15), (artifact, 2048)):
        answer = Client().get(link[link.index("/api/") :])
        assert (answer.status_code, answer["Content-Length"]) == (200, str(size))
        answer.close()


def test_a_result_whose_time_is_over_has_no_link(
    job: Job, browser: Browser, settings: Settings
) -> None:
    settings.RETENTION_RESULT_HOURS = 1
    Job.objects.filter(pk=job.pk).update(completed_at=timezone.now() - timedelta(hours=2))
    page = _page(browser, job)
    assert len(_links(page)) == 1
    assert "It can no longer be read" in page


def test_the_terminal_shows_names_and_sizes(job: Job) -> None:
    out = io.StringIO()
    call_command("jobs", "show", str(job.pk), stdout=out)
    assert NAME in out.getvalue()
    assert "2,048 bytes" in out.getvalue()
    assert f"/api/v1/artifacts/{job.artifacts.get(kind='result').pk}?link=" in out.getvalue()
