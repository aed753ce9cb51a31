"""Pausing and ending workers from the admin: who may, what happens, what is told."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry
from jobs.models import Wish, Worker
from tests.admin.conftest import KINDS, SUPERUSER, Browser
from tests.admin.jobs_around import text_of

NAME = "worker-1@host"
VERBS = {
    "pause": Wish.PAUSE,
    "resume": Wish.RUN,
    "shutdown": Wish.STOP,
    "restart": Wish.RESTART,
}


@pytest.fixture(autouse=True)
def worker(db: None) -> Worker:
    return Worker.objects.create(name=NAME, incarnation=uuid4(), slots=2)


@pytest.fixture
def root(browser: Browser) -> Client:
    return browser(SUPERUSER)


def act(verb: str, name: str = NAME) -> str:
    return reverse(f"admin:jobs_worker_{verb}", args=[name])


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != SUPERUSER])
def test_only_platform_admins_act_on_a_worker(
    kind: str, verb: str, browser: Browser, worker: Worker
) -> None:
    assert browser(kind).post(act(verb)).status_code in (302, 403)
    worker.refresh_from_db()
    assert (worker.wish, worker.wished_at) == (Wish.RUN, None)


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "resume"])
def test_a_worker_is_asked_and_the_audit_trail_tells(
    root: Client, worker: Worker, verb: str
) -> None:
    assert NAME in text_of(root.post(act(verb), follow=True))
    worker.refresh_from_db()
    assert worker.wish == VERBS[verb]
    assert AuditEntry.objects.get(object_type="worker").action == f"worker.{verb}"


def test_a_worker_is_asked_by_post_and_what_cannot_be_is_told(root: Client) -> None:
    assert root.get(act("pause")).status_code == 404
    assert root.post(act("pause", "nobody")).status_code == 404
    root.post(act("shutdown"))
    assert "asked to stop already" in text_of(root.post(act("resume"), follow=True))


def test_the_buttons_are_on_the_page_of_one_worker_and_for_platform_admins(
    root: Client, browser: Browser
) -> None:
    page = reverse("admin:jobs_worker_change", args=[NAME])
    assert act("pause") in root.get(page).content.decode()
    assert act("pause") not in browser("viewer").get(page).content.decode()
