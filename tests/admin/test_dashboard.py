"""The first page of the admin, and the pages of queues and workers: whose figures they show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, Tenant
from accounts.roles import Role
from jobs import lifecycle
from jobs.models import Job, Queue
from jobs.priorities import Level
from jobs.stats import EVERYBODYS, Whose
from jobs.stats.levels import levels_of
from jobs.stats.picking import newest_failed_of
from jobs.stats.sampling import sample
from tests.admin.conftest import ANONYMOUS, PLAIN, STAFF, SUPERUSER, Browser, person
from tests.jobs import making

PAGES = [
    "/admin/",
    "/admin/jobs/queue/",
    "/admin/jobs/queue/default/change/",
    "/admin/jobs/worker/",
]


@pytest.fixture(autouse=True)
def _queues(db: None) -> None:
    cache.clear()
    for name in ("default", "mail"):
        Queue.objects.get_or_create(name=name)


def failed(tenant: Tenant, message: str) -> Job:
    job = making.queued(tenant)
    lifecycle.fail(making.start(job), error={"type": "X", "message": message, "details": None})
    return making.fresh(job)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("kind", [ANONYMOUS, PLAIN])
def test_who_is_not_of_the_staff_is_sent_to_sign_in(page: str, kind: str, browser: Browser) -> None:
    answer = browser(kind).get(page)

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_staff_without_a_membership_are_told_so_and_see_no_figure(browser: Browser) -> None:
    client = browser(STAFF)

    assert "not a member of any tenant" in client.get("/admin/").content.decode()
    assert [client.get(page).status_code for page in PAGES[1:]] == [403, 403, 403]


@pytest.mark.parametrize("role", list(Role))
def test_a_member_sees_the_figures_of_the_own_tenant_alone(
    role: Role, browser: Browser, acme: Tenant, other: Tenant
) -> None:
    making.queued(acme)
    failed(acme, "Ours went wrong.")
    failed(other, "Theirs went wrong.")
    for _ in range(3):
        making.queued(other)

    client = browser(role)
    for query in ("", "?tenant=other", "?tenant=", "?tenant=nobody"):
        answer = client.get(f"/admin/{query}")
        text = answer.content.decode()
        assert "Ours went wrong." in text
        assert "Theirs" not in text
        assert "other" not in [choice.value for choice in answer.context["tenants"]]
        assert value_of(answer.context, "Waiting") == "1"


def value_of(context: Any, label: str) -> str:
    (tile,) = [tile for tile in context["tiles"] if tile.label == label]
    return str(tile.value)


def test_a_platform_admin_sees_all_tenants_or_the_chosen_one(
    browser: Browser, acme: Tenant, other: Tenant
) -> None:
    making.queued(acme)
    making.queued(other)
    client = browser(SUPERUSER)

    assert value_of(client.get("/admin/").context, "Waiting") == "2"
    assert value_of(client.get("/admin/?tenant=acme").context, "Waiting") == "1"


def test_a_member_of_two_tenants_chooses(acme: Tenant, other: Tenant) -> None:
    user = person("both", acme, Role.VIEWER)
    Membership.objects.create(user=user, tenant=other, role=Role.VIEWER)
    making.queued(other)
    client = Client()
    client.force_login(user)

    assert value_of(client.get("/admin/").context, "Waiting") == "0"
    assert value_of(client.get("/admin/?tenant=other").context, "Waiting") == "1"


def test_what_job_code_wrote_cannot_become_markup(browser: Browser, acme: Tenant) -> None:
    failed(acme, "<script>alert(1)</script>")

    text = browser(SUPERUSER).get("/admin/").content.decode()

    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_the_number_of_queries_does_not_grow_with_jobs_and_workers(
    browser: Browser, acme: Tenant
) -> None:
    client = browser(SUPERUSER)
    client.get("/admin/")  # the session, and what is looked up once

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get("/admin/").status_code == 200
        return len(captured)

    few = queries()
    for number in range(6):
        making.start(making.queued(acme))
        failed(acme, f"failure {number}")
    assert queries() <= few + 2


def test_the_queue_nobody_consumes_is_named_as_the_reason(browser: Browser, acme: Tenant) -> None:
    making.queued(acme, queue="mail")

    state = browser(SUPERUSER).get("/admin/").context["platform"]

    assert state.status == "degraded"
    assert "1 waiting in mail, which no worker consumes." in state.reasons


def test_an_unknown_queue_or_worker_is_not_found(browser: Browser) -> None:
    client = browser(SUPERUSER)

    assert client.get("/admin/jobs/queue/nothing/change/").status_code == 404
    assert client.get("/admin/jobs/worker/nobody/change/").status_code == 404


@pytest.mark.parametrize("way", ["add/", "default/delete/", "default/history/"])
def test_queues_are_not_made_changed_or_deleted_by_hand(way: str, browser: Browser) -> None:
    assert browser(SUPERUSER).get(f"/admin/jobs/queue/{way}").status_code in (403, 404)


def test_the_newest_failures_leave_out_the_discarded(acme: Tenant) -> None:
    kept, gone = failed(acme, "kept"), failed(acme, "gone")
    lifecycle.discard(gone.pk)

    assert [job.pk for job in newest_failed_of(EVERYBODYS)] == [kept.pk]


def test_the_chart_of_levels_adds_up_queues_and_keeps_tenants_apart(
    acme: Tenant, other: Tenant
) -> None:
    making.queued(acme, priority="high")
    making.queued(acme, priority="high", queue="mail")
    making.queued(other, priority="low")
    sample()

    def last(whose: Whose) -> dict[Level, int]:
        points = levels_of(whose, span=timedelta(hours=1), step=timedelta(minutes=1))
        (waiting,) = [point.waiting for point in points if any(point.waiting.values())]
        return dict(waiting)

    none = dict.fromkeys(Level, 0)
    assert last(Whose(tenant=acme.pk)) == {**none, Level.HIGH: 2}
    assert last(EVERYBODYS) == {**none, Level.HIGH: 2, Level.LOW: 1}


def test_a_chart_has_as_many_points_as_steps_fit_into_its_span(db: None) -> None:
    now = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)

    points = levels_of(EVERYBODYS, span=timedelta(hours=24), step=timedelta(minutes=20), now=now)

    assert len(points) == 72
    assert points[-1].at == datetime(2026, 3, 1, 12, 20, tzinfo=UTC)
