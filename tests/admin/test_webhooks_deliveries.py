"""Deliveries in the admin: the list, the page of one, sending again, and on the page of a job."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, Membership, Tenant
from accounts.roles import Role
from jobs.models import Job
from tests.admin.conftest import ANONYMOUS, KINDS, PLAIN, STAFF, SUPERUSER, Browser
from tests.admin.jobs_around import page_of as job_page
from tests.admin.jobs_around import queues, text_of
from tests.admin.webhooks_around import (
    DELIVERIES,
    ENDPOINTS,
    EVE,
    act,
    attempted,
    ids_in,
    made,
    page_of,
    send_again,
    told,
)
from tests.jobs import making
from webhooks import verbs
from webhooks.models import Delivery, Endpoint


@pytest.fixture(autouse=True)
def _queues(db: None) -> None:
    queues()


def shown_in(text: str) -> list[str]:
    return ids_in(text, "delivery")


def status_of(delivery: Delivery) -> str:
    return Delivery.objects.get(pk=delivery.pk).status


def test_the_list_tells_when_what_to_whom_and_how_it_went(acme: Tenant, browser: Browser) -> None:
    job = making.queued(acme)
    endpoint = made(acme)
    told(endpoint, "failed", last_status_code=None, last_error="timed_out", job_id=job.pk)
    told(endpoint, "failed", attempts=0, last_error="endpoint_disabled", last_status_code=None)
    told(endpoint)
    text = text_of(browser(Role.VIEWER).get(DELIVERIES))
    assert text.count('data-delivery-status="failed"') == 2
    assert "timed out" in text
    assert "missed: the endpoint was disabled" in text
    assert '<td data-label="Last answer">200</td>' in text
    assert job_page(job) in text
    assert page_of(endpoint) in text
    assert "data-act" not in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=failed", {"failed"}),
        ("status=pending", {"pending"}),
        ("status=nonsense", {"failed", "pending", "test", "brought"}),
        ("event=endpoint.test", {"test"}),
        ("event=job.completed", {"pending", "brought"}),
        ("event=job.failed&status=pending", set()),
        ("endpoint={endpoint}", {"failed", "pending", "test"}),
        ("endpoint={endpoint}&status=failed", {"failed"}),
        ("endpoint={endpoint}&event=endpoint.test", {"test"}),
        ("endpoint=nonsense", set()),
        ("q={job}", {"failed", "brought"}),
        ("q={job}&status=failed", {"failed"}),
        ("q={id}", {"pending"}),
        ("q={event}", {"pending"}),
        ("q=nonsense", set()),
        ("tenant=acme", {"failed", "pending", "test", "brought"}),
        ("tenant=other", set()),
        ("before=nonsense", {"failed", "pending", "test", "brought"}),
    ],
)
@pytest.mark.parametrize("kind", [Role.VIEWER, SUPERUSER])
def test_the_list_is_searched_and_filtered(
    kind: str, query: str, found: set[str], acme: Tenant, other: Tenant, browser: Browser
) -> None:
    endpoint, job = made(acme), uuid4()
    brought = Endpoint.objects.create(tenant=acme, url="https://x.example", is_of_jobs=True)
    rows = {
        "failed": told(endpoint, "failed", "job.failed", job),
        "pending": told(endpoint, "pending"),
        "test": told(endpoint, "delivered", "endpoint.test"),
        "brought": told(brought, job_id=job),
    }
    client = browser(kind)
    if kind == Role.VIEWER:
        told(made(other), "failed", "job.failed", job)
    given = {
        "endpoint": endpoint.pk, "job": job, "id": rows["pending"].pk,
        "event": rows["pending"].event_id,
    }  # fmt: skip
    text = text_of(client.get(f"{DELIVERIES}?{query.format(**given)}"))
    assert set(shown_in(text)) == {str(rows[name].pk) for name in found}


def test_of_several_tenants_the_newest_are_listed_together_and_go_on(
    acme: Tenant, other: Tenant, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhooks.admin.finding.PAGE", 2)
    viewer = browser(Role.VIEWER)
    third = Tenant.objects.create(slug="third")
    Membership.objects.create(user_id=viewer.session["_auth_user_id"], tenant=other, role="viewer")
    ours, theirs, foreign = made(acme), made(other), made(third)
    rows = [told(one) for one in (ours, theirs, foreign, ours, theirs)]
    wanted = [str(row.pk) for row in reversed(rows) if row.tenant != third]
    first = viewer.get(DELIVERIES)
    assert shown_in(text_of(first)) == wanted[:2]
    second = viewer.get(f"{DELIVERIES}{first.context['older_url']}")
    assert shown_in(text_of(second)) == wanted[2:]
    assert second.context["older_url"] == ""


@pytest.mark.parametrize("everywhere", [True, False])
def test_what_no_index_answers_is_looked_for_from_page_to_page_and_nothing_is_left_out(
    everywhere: bool, acme: Tenant, other: Tenant, browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("webhooks.admin.finding.PAGE", 2)
    monkeypatch.setattr("webhooks.admin.finding.LOOK", 6)
    client = browser(SUPERUSER if everywhere else Role.VIEWER)
    if not everywhere:
        key = client.session["_auth_user_id"]
        Membership.objects.create(user_id=key, tenant=other, role="viewer")
    ours, theirs = made(acme), made(other)
    wanted = []
    for number in range(30):
        is_wanted = number % 7 == 0
        event = "job.failed" if is_wanted else "job.completed"
        row = told(theirs if number % 3 == 0 else ours, event=event)
        wanted += [str(row.pk)] if is_wanted else []
    found, query, pages = [], "?event=job.failed&status=delivered", 0
    while query:
        answer = client.get(f"{DELIVERIES}{query}")
        found += shown_in(text_of(answer))
        query = answer.context["older_url"] or answer.context["further_url"]
        pages += 1
    assert found == wanted[::-1]
    assert pages > 3


def test_the_page_tells_each_attempt_and_the_whole_body(acme: Tenant, browser: Browser) -> None:
    job = making.queued(acme)
    body = '{"event":"job.failed","data":{"job_id":"x","n":1.50}}'
    delivery = told(made(acme), "failed", "job.failed", job.pk, body)
    attempted(delivery)
    attempted(
        delivery, number=2, status_code=None, error="timed_out", url="https://old.example/x",
        message="It took too long.", answer_start="",
    )  # fmt: skip
    viewer = browser(Role.VIEWER)
    text = text_of(viewer.get(page_of(delivery)))
    assert "1. 500" in text
    assert "out of order" in text
    assert "2. timed out" in text
    assert "It took too long." in text
    assert "https://old.example/x" in text
    assert "&quot;job_id&quot;: &quot;x&quot;" in text
    assert job_page(job) in text
    assert str(delivery.event_id) in text
    assert "are not kept" in text
    assert "data-act" not in text
    exact = viewer.get(page_of(delivery, "body"))
    assert exact.content.decode() == body
    assert exact.headers["Content-Disposition"].startswith("attachment")
    assert exact.headers["Content-Type"] == "application/json"


def test_a_long_body_is_cut_on_the_page_alone(acme: Tenant, browser: Browser) -> None:
    body = json.dumps({"data": {"text": "long " * 10_000}})
    delivery, viewer = told(made(acme), body=body), browser(Role.VIEWER)
    text = text_of(viewer.get(page_of(delivery)))
    assert len(text) < 60_000
    assert "the file has all of it" in text
    assert len(viewer.get(page_of(delivery, "body")).content) == len(body)


def test_only_a_platform_admin_is_led_to_the_internal_job(acme: Tenant, browser: Browser) -> None:
    act(browser(Role.ADMIN), "test", made(acme))
    delivery = Delivery.objects.get()
    assert delivery.task_id is not None
    task = job_page(Job.objects.get(pk=delivery.task_id))
    superuser = browser(SUPERUSER)
    assert task in text_of(superuser.get(page_of(delivery)))
    assert superuser.get(task).status_code == 200
    assert task not in text_of(browser(Role.OPERATOR).get(page_of(delivery)))
    Delivery.objects.update(task_id=uuid4())  # removed: its time is over
    assert "Internal job" not in text_of(superuser.get(page_of(delivery)))


def test_t24_nothing_that_was_answered_or_told_becomes_markup(
    acme: Tenant, browser: Browser
) -> None:
    job = making.queued(acme)
    evil = "</pre><script>alert(1)</script>"
    delivery = told(
        made(acme), "failed", job_id=job.pk, body=json.dumps({"data": evil}), last_error=evil
    )
    attempted(delivery, answer_start=evil, message=evil, error=evil, url=f"javascript:{evil}")
    Endpoint.objects.update(url=f"javascript:{evil}", description=evil)
    admin = browser(Role.ADMIN)
    for page in (DELIVERIES, page_of(delivery), job_page(job), ENDPOINTS):
        text = text_of(admin.get(page))
        assert "<script>alert" not in text
        assert 'href="javascript:' not in text
    main = text_of(admin.get(page_of(delivery))).partition('id="content"')[2]
    for inline in ("<style", " onclick=", " style="):
        assert inline not in main.partition("</main>")[0]


def test_an_operator_sends_again_one_and_many(acme: Tenant, browser: Browser) -> None:
    endpoint = made(acme)
    failed, arrived, other_one = told(endpoint, "failed"), told(endpoint), told(endpoint)
    operator = browser(Role.OPERATOR)
    assert send_again(operator, failed, **{"from": "page"}) == 302
    assert status_of(failed) == "pending"
    assert "1 delivery sent again." in text_of(operator.get(page_of(failed)))
    assert send_again(operator, arrived, other_one, back="status=delivered") == 302
    assert {status_of(arrived), status_of(other_one)} == {"pending"}
    by_me = AuditEntry.objects.filter(action="endpoint.redeliver", actor="user:the-operator")
    assert by_me.count() == 3
    assert send_again(operator) == 302
    assert "No deliveries were chosen." in text_of(operator.get(DELIVERIES))


def test_of_an_endpoint_that_is_disabled_nothing_is_sent_and_that_stops_no_other(
    acme: Tenant, browser: Browser
) -> None:
    off, on = made(acme), made(acme)
    left, sent = told(off, "failed"), told(on, "failed")
    verbs.change(off, {"enabled": False}, EVE)
    operator = browser(Role.OPERATOR)
    send_again(operator, left, sent)
    text = text_of(operator.get(DELIVERIES))
    assert "1 delivery sent again." in text
    assert "1 delivery left alone: The endpoint is disabled or deleted" in text
    assert (status_of(left), status_of(sent)) == ("failed", "pending")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_person_does_what_its_role_allows(
    kind: str, acme: Tenant, browser: Browser
) -> None:
    delivery, client = told(made(acme), "failed"), browser(kind)
    pages = (DELIVERIES, page_of(delivery), page_of(delivery, "body"))
    looks = {client.get(page).status_code for page in pages}
    sends = send_again(client, delivery)
    may_send = kind in (Role.OPERATOR, Role.ADMIN, SUPERUSER)
    if kind in (ANONYMOUS, PLAIN):
        assert looks | {sends} == {302}
    elif kind == STAFF:
        assert looks | {sends} <= {403, 404}
    else:
        assert looks == {200}
        assert sends == (302 if may_send else 403)
    assert status_of(delivery) == ("pending" if may_send else "failed")


def test_what_is_not_ones_own_is_404_and_left_alone(
    acme: Tenant, other: Tenant, browser: Browser
) -> None:
    foreign, operator = told(made(other), "failed"), browser(Role.OPERATOR)
    for name in (foreign.pk, uuid4()):
        assert operator.get(f"{DELIVERIES}{name}/change/").status_code == 404
        assert operator.get(f"{DELIVERIES}{name}/body/").status_code == 404
    assert send_again(operator, foreign) == 302
    assert status_of(foreign) == "failed"
    assert operator.get(f"{DELIVERIES}send-again/").status_code == 404
    own = told(made(acme))
    assert operator.post(DELIVERIES).status_code == 403
    assert operator.post(page_of(own)).status_code == 403
    assert operator.get(f"{DELIVERIES}{own.pk}/delete/").status_code == 403
    assert operator.get(f"{DELIVERIES}add/").status_code == 403
    assert operator.get(page_of(own, "history")).status_code == 302


def test_the_page_of_a_job_has_its_deliveries_if_there_are_any(
    acme: Tenant, other: Tenant, browser: Browser
) -> None:
    job, silent = making.queued(acme), making.queued(acme)
    delivery = told(made(acme), "failed", job_id=job.pk)
    foreign = told(made(other), job_id=silent.pk)
    viewer = browser(Role.VIEWER)
    text = text_of(viewer.get(job_page(job)))
    assert "data-job-deliveries" in text
    assert page_of(delivery) in text
    bare = text_of(viewer.get(job_page(silent)))
    assert "data-job-deliveries" not in bare
    assert str(foreign.pk) not in bare


def test_a_job_with_many_deliveries_shows_the_newest_and_leads_to_all(
    acme: Tenant, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhooks.admin.of_job.MOST", 2)
    job, endpoint = making.queued(acme), made(acme)
    rows = [told(endpoint, job_id=job.pk, created_at=timezone.now()) for _ in range(3)]
    viewer = browser(Role.VIEWER)
    text = text_of(viewer.get(job_page(job)))
    assert page_of(rows[2]) in text
    assert page_of(rows[0]) not in text
    assert f"{DELIVERIES}?q={job.pk}" in text
    assert len(shown_in(text_of(viewer.get(f"{DELIVERIES}?q={job.pk}")))) == 3
