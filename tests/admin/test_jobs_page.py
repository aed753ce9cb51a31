"""The page of one job: what it tells, that nothing in it runs, and what it costs."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Tenant
from accounts.roles import Role
from jobs import lifecycle, operations
from jobs.admin.history import MOST_ATTEMPTS
from jobs.admin.page import MOST_EDGES
from jobs.models import Attempt, AttemptOutcome, Job
from jobs.operations import Actor
from jobs.states import FINAL
from tests.admin.conftest import SUPERUSER, Browser
from tests.admin.jobs_around import LIST, page_of, queues, report, text_of
from tests.jobs.aged import age
from tests.jobs.making import (
    ERROR,
    SITUATIONS,
    blocked,
    complete,
    fresh,
    in_situation,
    queued,
    start,
)
from tests.support.webhook_urls import HOOK

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def _queues(db: None) -> None:
    queues()


@pytest.fixture
def admin(browser: Browser) -> Client:
    return browser(Role.ADMIN)


def _page(client: Client, job: Job) -> str:
    answer = client.get(page_of(job))
    assert answer.status_code == 200
    return text_of(answer)


@pytest.mark.parametrize("kind", [Role.VIEWER, Role.ADMIN, SUPERUSER])
@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_situation_has_a_page(
    situation: str, kind: str, browser: Browser, acme: Tenant
) -> None:
    job = in_situation(acme, situation)
    client = browser(kind)
    shown = _page(client, job)
    assert f'data-job-status="{job.status}"' in shown
    assert str(job.pk) in shown
    assert ('data-live="' in shown) == (job.status not in FINAL)
    live = text_of(client.get(f"{LIST}{job.pk}/live/"))
    assert f'data-job-live-status="{job.status}"' in live


def test_a_waiting_job_says_why_it_waits(admin: Client, acme: Tenant) -> None:
    for situation in ("blocked", "scheduled", "ready", "dispatched"):
        assert "data-job-because" in _page(admin, in_situation(acme, situation)), situation
    assert "data-job-because" not in _page(admin, in_situation(acme, "completed"))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({}, "pending, 0 requests"),
        ({"webhook_delivered": True, "webhook_attempts": 1}, "delivered, 1 request"),
        ({"webhook_delivered": False, "webhook_attempts": 3}, "not delivered, 3 requests"),
    ],
)
def test_the_webhook_is_linked_and_tells_what_became_of_it(
    row: dict[str, Any], words: str, admin: Client, acme: Tenant
) -> None:
    job = queued(acme, webhook_url=HOOK)
    Job.objects.filter(pk=job.pk).update(**row)
    shown = _page(admin, job)
    assert f'<a href="{HOOK}" dir="auto">{HOOK}, {words}</a>' in shown


def test_a_webhook_that_is_no_web_address_is_a_text(admin: Client, acme: Tenant) -> None:
    job = queued(acme)
    assert "<th>Webhook</th>" not in _page(admin, job)
    Job.objects.filter(pk=job.pk).update(webhook_url="javascript:alert(1)")
    shown = _page(admin, job)
    assert "<th>Webhook</th>" in shown
    assert "<bdi>javascript:alert(1), pending, 0 requests</bdi>" in shown
    assert 'href="javascript' not in shown


def test_a_running_job_shows_its_progress(admin: Client, acme: Tenant) -> None:
    job = in_situation(acme, "processing")
    Job.objects.filter(pk=job.pk).update(progress=42, progress_message="page 12 of 30")
    for shown in (_page(admin, job), text_of(admin.get(f"{LIST}{job.pk}/live/"))):
        assert 'data-job-progress="42"' in shown
        assert "page 12 of 30" in shown
    assert 'data-job-progress="42"' in text_of(admin.get(LIST))


def test_the_history_tells_every_attempt_in_order(admin: Client, acme: Tenant) -> None:
    job = queued(acme)
    lifecycle.retry_later(start(job), delay_seconds=0, error=ERROR)
    lifecycle.promote_now(job.pk)
    complete(fresh(job))
    shown = _page(admin, fresh(job))
    titles = re.findall(r"<strong>(Accepted|Attempt \d \w+|Completed)</strong>", shown)
    assert titles == ["Accepted", "Attempt 1 retried", "Attempt 2 completed", "Completed"]


def test_a_result_is_laid_out_for_reading(admin: Client, acme: Tenant) -> None:
    notes = "# Notes\n\n- one\n- two"
    shown = _page(admin, complete(queued(acme), {"title": "Cells", "notes": notes, "n": [1, 2]}))
    assert notes in shown
    assert re.search(r"<th[^>]*>title</th><td[^>]*>Cells</td>", shown)


def test_the_raw_values_come_as_files(admin: Client, acme: Tenant) -> None:
    job = complete(queued(acme, payload={"a": [1]}), {"b": "ü"})
    for what, value in (("payload", {"a": [1]}), ("result", {"b": "ü"})):
        answer = admin.get(f"{LIST}{job.pk}/raw/{what}/")
        assert "attachment" in answer["Content-Disposition"]
        assert json.loads(answer.content) == value
    assert admin.get(f"{LIST}{job.pk}/raw/error/").status_code == 404


def test_a_result_whose_time_is_over_is_not_shown(admin: Client, acme: Tenant) -> None:
    job = age(complete(queued(acme), "only for a day"), days=2)
    shown = _page(admin, job)
    assert "its time is over" in shown
    assert "only for a day" not in shown
    assert json.loads(admin.get(f"{LIST}{job.pk}/raw/result/").content) is None


@pytest.mark.parametrize("text", [SCRIPT, "'\"><img src=x onerror=alert(1)>"])
def test_nothing_that_a_job_carries_becomes_markup(text: str, admin: Client, acme: Tenant) -> None:
    job = queued(acme, payload={text: text, "deep": {"x": [{text: text}]}}, labels={text: text})
    error = {"type": text, "message": text, "details": {text: text}, "traceback": text}
    lifecycle.fail(start(job), error=error)
    Job.objects.filter(pk=job.pk).update(
        type=text, progress_message=text, progress=5, owner=text, unique_key=text, worker=text,
        created_by=text, webhook_url=f"https://{text}",
    )  # fmt: skip
    job.attempts.update(worker=text)
    waiting = blocked(acme, job) if job.status not in FINAL else job
    for shown in (
        _page(admin, job),
        _page(admin, waiting),
        text_of(admin.get(LIST, {"q": text, "status": text, "tenant": text, "before": text})),
        text_of(admin.get(LIST)),
        text_of(admin.get(f"{LIST}{job.pk}/live/")),
        text_of(admin.post(f"{LIST}act/discard/", {"job": str(job.pk), "back": text})),
    ):
        assert text not in shown
        assert "<img src=x" not in shown


@pytest.mark.parametrize(
    "value",
    [
        {"text": "x" * 1_000_000},
        {str(number): "y" * 20 for number in range(30_000)},
        {"rows": [[number] * 10 for number in range(20_000)]},
        {"rtl": "\u202eabc \u05d0\u05d1", "word": "w" * 5000, "bell": "\x07"},
    ],
)
def test_a_value_of_any_size_makes_a_page_of_bounded_size(
    value: Any, admin: Client, acme: Tenant
) -> None:
    job = complete(queued(acme), value)
    assert len(_page(admin, job)) < 300_000


def test_of_a_great_many_attempts_the_last_are_shown(admin: Client, acme: Tenant) -> None:
    job, now = queued(acme), timezone.now()
    Attempt.objects.bulk_create(
        Attempt(
            job=job, fence=number, number=number, run=1, worker="w", started_at=now,
            ended_at=now + timedelta(seconds=1), outcome=AttemptOutcome.RETRIED, error=ERROR,
        )
        for number in range(1, 3 * MOST_ATTEMPTS)
    )  # fmt: skip
    shown = _page(admin, job)
    assert shown.count("retried</strong>") == MOST_ATTEMPTS
    assert f"Attempt {3 * MOST_ATTEMPTS - 1} retried" in shown


def test_dependencies_are_linked_both_ways_and_bounded(admin: Client, acme: Tenant) -> None:
    first = [queued(acme) for _ in range(MOST_EDGES + 2)]
    after = blocked(acme, *first)
    shown = _page(admin, after)
    assert shown.count("if it fails: cancel") == MOST_EDGES
    assert "Waits for" in shown
    assert "And more." in shown
    assert page_of(after) in _page(admin, first[0])


def test_admins_see_what_was_done_to_the_job(admin: Client, acme: Tenant) -> None:
    job = queued(acme)
    operations.boost(job, Actor(name="token:robot"), amount=5)
    shown = _page(admin, job)
    assert "token:robot" in shown
    assert f"priority: {job.priority} → {job.priority + 5}" in shown


def test_flower_is_offered_to_platform_admins_only(browser: Browser, acme: Tenant) -> None:
    job = in_situation(acme, "processing")
    task = f"/task/{job.pk}%3A{job.fence}"
    assert task in _page(browser(SUPERUSER), job)
    assert task not in _page(browser(Role.ADMIN), job)


def test_a_label_leads_to_the_jobs_that_carry_it(admin: Client, acme: Tenant) -> None:
    job = report(acme, labels={"course a&b": "7:8"})
    way = re.search(r'cel-labels"><a href="([^"]+)"', _page(admin, job))
    assert way is not None
    found = text_of(admin.get(way[1].replace("&amp;", "&")))
    assert f'data-job-id="{job.pk}"' in found


@pytest.mark.parametrize("situation", ["completed", "failed", "processing", "cancelled"])
def test_the_page_takes_few_queries_however_much_there_is(
    situation: str, admin: Client, acme: Tenant
) -> None:
    job = in_situation(acme, situation)
    numbers = []
    for _ in range(2):
        for _ in range(5):
            blocked(acme, queued(acme), *([job] if situation == "processing" else []))
        with CaptureQueriesContext(connection) as queries:
            _page(admin, job)
        numbers.append(len(queries))
    # One is for the deliveries of the job: its row tells only of those of its end, and who listened
    # while it ran may listen no more. How many failed alike is asked of one that failed.
    most = 10 + (situation == "failed")
    assert numbers[0] == numbers[1] <= most, [query["sql"] for query in queries]
