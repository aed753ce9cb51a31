"""Batches in the admin: the list, the page, its jobs, and the two verbs."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, Tenant
from accounts.roles import Role
from jobs import lifecycle
from jobs.batches import hand_in
from jobs.enqueue import JobRequest
from jobs.models import Batch, Job
from tests.admin.conftest import ANONYMOUS, KINDS, PLAIN, STAFF, SUPERUSER, Browser
from tests.admin.jobs_around import CANARY, queues, text_of
from tests.api import kinds
from tests.jobs import making

BATCHES = "/admin/jobs/batch/"


@pytest.fixture(autouse=True)
def _queues(db: None) -> None:
    queues()


def made(tenant: Tenant, number: int = 3, name: str = "a class") -> Batch:
    request = JobRequest(
        type_name=kinds.report.name, payload={"report_id": 1, "access_token": CANARY}
    )
    return hand_in(tenant, [request] * number, name=name, on_complete=request).batch


def page_of(batch: Batch) -> str:
    return f"{BATCHES}{batch.pk}/change/"


def act(client: Client, batch: Batch, verb: str, **fields: str) -> int:
    return client.post(f"{BATCHES}{batch.pk}/act/{verb}/", fields).status_code


def statuses(batch: Batch) -> set[str]:
    return set(Job.objects.filter(batch=batch).values_list("status", flat=True))


def test_the_list_shows_ones_own_batches_and_how_far_they_are(
    acme: Tenant, other: Tenant, browser: Browser
) -> None:
    mine, foreign = made(acme, 4), made(other, 1, "somebody else's")
    making.complete(Job.objects.filter(batch=mine)[0])

    text = text_of(browser(Role.VIEWER).get(BATCHES))

    assert "a class" in text
    assert 'data-job-progress="25"' in text
    assert "somebody else" not in text
    assert str(foreign.pk) in text_of(browser(SUPERUSER).get(BATCHES))


def test_the_list_is_filtered_by_status_and_goes_on(
    acme: Tenant, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.admin.batch_pages.PAGE", 2)
    found = [made(acme, 1, f"number {number}") for number in range(3)]
    for job in Job.objects.filter(batch=found[0]):
        lifecycle.cancel(job.pk, by="user:eve")
    viewer = browser(Role.VIEWER)

    assert "number 0" not in text_of(viewer.get(BATCHES))
    older = text_of(viewer.get(f"{BATCHES}?before={found[1].pk}"))
    assert "number 0" in older
    assert "number 1" not in older
    cancelled = text_of(viewer.get(f"{BATCHES}?status=cancelled"))
    assert "number 0" in cancelled
    assert "number 2" not in cancelled


def test_the_page_leads_to_the_jobs_of_each_status_and_to_what_followed(
    acme: Tenant, browser: Browser
) -> None:
    batch, viewer = made(acme), browser(Role.VIEWER)
    first, *rest = Job.objects.filter(batch=batch)
    lifecycle.cancel(first.pk, by="user:eve")
    made(acme)

    text = text_of(viewer.get(page_of(batch)))
    assert "not handed in yet" in text
    assert CANARY not in text
    assert f"q=batch%3A{batch.pk}&amp;status=queued" in text
    listed = text_of(viewer.get(f"/admin/jobs/job/?q=batch:{batch.pk}&status=queued"))
    assert {f'data-job-id="{job.pk}"' in listed for job in rest} == {True}
    assert listed.count("data-job-id=") == 2

    for job in rest:
        lifecycle.cancel(job.pk, by="user:eve")
    batch.refresh_from_db()
    assert f"/admin/jobs/job/{batch.on_complete_job}/change/" in text_of(viewer.get(page_of(batch)))


def test_jobs_of_anothers_batch_are_not_listed(
    acme: Tenant, other: Tenant, browser: Browser
) -> None:
    foreign = made(other)
    viewer = browser(Role.VIEWER)
    assert "data-job-id=" not in text_of(viewer.get(f"/admin/jobs/job/?q=batch:{foreign.pk}"))
    assert "data-job-id=" not in text_of(viewer.get("/admin/jobs/job/?q=batch:none"))


def test_an_operator_cancels_after_a_question_and_retries_at_once(
    acme: Tenant, browser: Browser
) -> None:
    batch, operator = made(acme), browser(Role.OPERATOR)

    asked = operator.post(f"{BATCHES}{batch.pk}/act/cancel/")
    assert "data-batch-confirm" in text_of(asked)
    assert statuses(batch) == {"queued"}
    assert act(operator, batch, "cancel", confirmed="1") == 302
    assert statuses(batch) == {"cancelled"}
    assert "3 jobs cancelled or asked to end." in text_of(operator.get(page_of(batch)))
    assert act(operator, batch, "retry") == 302
    assert statuses(batch) == {"queued"}
    entries = AuditEntry.objects.filter(object_type="batch").order_by("pk")
    assert [(entry.action, entry.actor) for entry in entries] == [
        ("batch.cancel", "user:the-operator"), ("batch.retry", "user:the-operator"),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_person_does_what_its_role_allows(
    kind: str, acme: Tenant, browser: Browser
) -> None:
    batch, client = made(acme), browser(kind)
    looks = client.get(page_of(batch)).status_code
    acts = act(client, batch, "cancel", confirmed="1")
    if kind in (ANONYMOUS, PLAIN):
        assert (looks, acts) == (302, 302)
    elif kind == STAFF:
        assert looks in (403, 404)
        assert acts in (403, 404)
    else:
        assert (looks, acts) == (200, 403 if kind == Role.VIEWER else 302)
    may = kind in (Role.OPERATOR, Role.ADMIN, SUPERUSER)
    assert statuses(batch) == ({"cancelled"} if may else {"queued"})


def test_what_is_not_there_or_not_ones_own_is_404(
    acme: Tenant, other: Tenant, browser: Browser
) -> None:
    foreign, operator = made(other), browser(Role.OPERATOR)
    for name in (str(foreign.pk), str(uuid4()), "7"):
        assert operator.get(f"{BATCHES}{name}/change/").status_code == 404
    assert act(operator, foreign, "cancel", confirmed="1") == 404
    own = made(acme)
    assert act(operator, own, "explode") == 404
    assert operator.get(f"{BATCHES}{own.pk}/act/cancel/").status_code == 404
    assert operator.get(f"{BATCHES}add/").status_code == 403
    assert operator.post(BATCHES).status_code == 403
    assert statuses(foreign) == statuses(own) == {"queued"}


def test_the_list_costs_the_same_for_one_batch_and_for_many(acme: Tenant, browser: Browser) -> None:
    viewer = browser(Role.VIEWER)
    made(acme)
    with CaptureQueriesContext(connection) as one:
        viewer.get(BATCHES)
    for _ in range(5):
        made(acme)
    with CaptureQueriesContext(connection) as six:
        viewer.get(BATCHES)
    assert len(one) == len(six)


def test_a_name_that_is_markup_is_shown_as_text(acme: Tenant, browser: Browser) -> None:
    request = JobRequest(type_name=kinds.report.name, payload={"report_id": 1})
    batch = hand_in(acme, [request], name="<script>alert(1)</script>").batch
    viewer = browser(Role.VIEWER)
    for address in (BATCHES, page_of(batch)):
        assert "<script>alert(1)" not in text_of(viewer.get(address))
