"""The lines that a job logged, on its page: the last ones, as text and nothing more."""

from __future__ import annotations

import pytest

from accounts.models import Tenant
from accounts.roles import Role
from jobs.admin.page import MOST_LINES
from jobs.models import LogLine
from tests.admin.conftest import Browser
from tests.admin.jobs_around import page_of, queues, text_of
from tests.jobs.making import queued


@pytest.fixture(autouse=True)
def _queues(db: None) -> None:
    queues()


def test_the_last_lines_stand_on_the_page_and_nothing_in_them_runs(
    browser: Browser, acme: Tenant
) -> None:
    job = queued(acme)
    for number in range(MOST_LINES + 1):
        text = f"<script>alert({number})</script>"
        LogLine.objects.create(job=job, attempt=1, level="info", message=text)
    page = text_of(browser(Role.VIEWER).get(page_of(job)))
    assert "alert(0)" not in page
    assert page.index("alert(1)") < page.index(f"alert({MOST_LINES})")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_job_that_logged_nothing_has_no_such_section(browser: Browser, acme: Tenant) -> None:
    assert "data-job-lines" not in text_of(browser(Role.VIEWER).get(page_of(queued(acme))))
