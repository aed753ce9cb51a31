"""Who may see and do what to jobs, on every path there is."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import AuditEntry, Tenant
from accounts.roles import Role
from jobs.models import Job
from jobs.states import Status
from tests.admin.conftest import ANONYMOUS, KINDS, PLAIN, STAFF, SUPERUSER, Browser
from tests.admin.jobs_around import CANARY, LIST, act, page_of, queues, report, text_of
from tests.jobs.making import in_situation

SIGN_IN, REFUSED, NOT_FOUND, FINE, DONE = 302, 403, 404, 200, 302
_OUTSIDE = (ANONYMOUS, PLAIN)
_SEEING = (Role.VIEWER, Role.OPERATOR, Role.ADMIN, SUPERUSER)
_ACTING = (Role.OPERATOR, Role.ADMIN, SUPERUSER)
# Verb → a situation that allows it, and who may.
_VERBS = {
    "cancel": ("ready", _ACTING),
    "retry": ("failed", _ACTING),
    "boost": ("ready", _ACTING),
    "run-now": ("scheduled", _ACTING),
    "discard": ("failed", _ACTING),
    "put-back": ("processing", (Role.ADMIN, SUPERUSER)),
    "give-up": ("processing", (Role.ADMIN, SUPERUSER)),
}


@pytest.fixture(autouse=True)
def _queues(db: None) -> None:
    queues()


def _post(client: Client, verb: str, *jobs: Job) -> int:
    fields = {"job": [str(job.pk) for job in jobs], "confirmed": "1", "amount": "10"}
    return client.post(act(verb), fields).status_code


@pytest.mark.parametrize("kind", KINDS)
def test_the_list_is_for_members_of_some_tenant(kind: str, browser: Browser) -> None:
    wanted = SIGN_IN if kind in _OUTSIDE else REFUSED if kind == STAFF else FINE
    assert browser(kind).get(LIST).status_code == wanted


@pytest.mark.parametrize("path", ["change/", "live/", "raw/payload/", "raw/result/", "history/"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_job_is_shown_to_those_who_may_see_its_tenant(
    kind: str, path: str, browser: Browser, acme: Tenant
) -> None:
    answer = browser(kind).get(f"{LIST}{report(acme).pk}/{path}")
    if kind in _OUTSIDE:
        assert answer.status_code == SIGN_IN
        assert "/login/" in answer["Location"]
    elif kind == STAFF:
        assert answer.status_code == NOT_FOUND
    else:
        assert answer.status_code == (302 if path == "history/" else FINE)
        assert path != "history/" or "/login/" not in answer["Location"]


@pytest.mark.parametrize("path", ["change/", "live/", "raw/payload/", "history/"])
@pytest.mark.parametrize("kind", [STAFF, *Role])
def test_a_foreign_job_is_not_told_from_a_missing_one(
    kind: str, path: str, browser: Browser, other: Tenant
) -> None:
    foreign = report(other)
    client, address = browser(kind), f"{LIST}{foreign.pk}/{path}"
    assert client.get(address).status_code == NOT_FOUND
    foreign.delete()
    assert client.get(address).status_code == NOT_FOUND
    assert client.get(f"{LIST}not-an-id/change/").status_code == NOT_FOUND


@pytest.mark.parametrize("kind", _SEEING)
def test_the_list_holds_ones_own_tenants_jobs_and_no_others(
    kind: str, browser: Browser, acme: Tenant, other: Tenant
) -> None:
    mine, foreign = report(acme), report(other)
    client = browser(kind)
    for query in ({}, {"status": "queued"}, {"tenant": "other"}, {"q": str(foreign.pk)}):
        shown = text_of(client.get(LIST, query))
        assert (f'data-job-id="{foreign.pk}"' in shown) == (kind == SUPERUSER)
    assert f'data-job-id="{mine.pk}"' in text_of(client.get(LIST))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("verb", _VERBS)
def test_a_verb_posted_by_hand_takes_its_role(
    verb: str, kind: str, browser: Browser, acme: Tenant
) -> None:
    situation, acting = _VERBS[verb]
    job = in_situation(acme, situation)
    before = Job.objects.values("status", "priority", "fence", "discarded_at").get(pk=job.pk)
    entries = AuditEntry.objects.filter(object_id=str(job.pk))
    answer = _post(browser(kind), verb, job)
    after = Job.objects.values("status", "priority", "fence", "discarded_at").get(pk=job.pk)
    if kind in acting:
        assert (answer, before != after) == (DONE, True)
        assert [entry.actor for entry in entries] == [f"user:the-{kind}"]
    else:
        assert answer == (SIGN_IN if kind in _OUTSIDE else REFUSED)
        assert (before, entries.count()) == (after, 0)


@pytest.mark.parametrize("kind", Role)
@pytest.mark.parametrize("verb", _VERBS)
def test_no_verb_reaches_a_foreign_job(
    verb: str, kind: str, browser: Browser, acme: Tenant, other: Tenant
) -> None:
    foreign = in_situation(other, _VERBS[verb][0])
    fence = foreign.fence
    _post(browser(kind), verb, foreign)
    _post(browser(SUPERUSER), "boost")  # nothing chosen is no error
    now = Job.objects.get(pk=foreign.pk)
    assert (now.status, now.fence, now.priority, now.discarded_at) == (
        foreign.status, fence, foreign.priority, foreign.discarded_at,
    )  # fmt: skip


def test_of_mixed_jobs_only_ones_own_are_changed(
    browser: Browser, acme: Tenant, other: Tenant
) -> None:
    mine, foreign = in_situation(acme, "ready"), in_situation(other, "ready")
    assert _post(browser(Role.OPERATOR), "cancel", mine, foreign) == DONE
    assert Job.objects.get(pk=mine.pk).status == Status.CANCELLED
    assert Job.objects.get(pk=foreign.pk).status == Status.QUEUED


def test_a_verb_wants_the_forms_own_token(browser: Browser, acme: Tenant) -> None:
    job = in_situation(acme, "ready")
    client = browser(Role.ADMIN)
    client.handler.enforce_csrf_checks = True
    assert _post(client, "cancel", job) == REFUSED
    assert Job.objects.get(pk=job.pk).status == Status.QUEUED


@pytest.mark.parametrize("kind", _SEEING)
def test_nothing_is_added_edited_or_deleted_by_a_form(
    kind: str, browser: Browser, acme: Tenant
) -> None:
    job, client = report(acme), browser(kind)
    assert client.get(f"{LIST}add/").status_code == REFUSED
    assert client.post(f"{LIST}add/", {"type": "x"}).status_code == REFUSED
    assert client.post(page_of(job), {"priority": "1"}).status_code == REFUSED
    assert client.post(f"{LIST}{job.pk}/delete/", {"post": "yes"}).status_code == REFUSED
    chosen = {"action": "delete_selected", "_selected_action": str(job.pk), "post": "yes"}
    assert client.post(LIST, chosen).status_code == REFUSED
    assert Job.objects.filter(pk=job.pk, priority=job.priority).exists()
    naming = {"app_label": "jobs", "model_name": "dependency", "field_name": "job", "term": "0"}
    assert client.get("/admin/autocomplete/", naming).status_code in (REFUSED, NOT_FOUND)


@pytest.mark.parametrize("kind", _SEEING)
def test_a_secret_is_on_no_page(kind: str, browser: Browser, acme: Tenant) -> None:
    job, client = report(acme), browser(kind)
    sealed = job.payload["access_token"]["$secret"]
    for path in (LIST, page_of(job), f"{LIST}{job.pk}/live/", f"{LIST}{job.pk}/raw/payload/"):
        shown = text_of(client.get(path))
        assert CANARY not in shown
        assert sealed not in shown
    assert "***" in text_of(client.get(page_of(job)))


@pytest.mark.parametrize("kind", _SEEING)
def test_tracebacks_and_the_audit_trail_are_for_admins(
    kind: str, browser: Browser, acme: Tenant
) -> None:
    job = in_situation(acme, "failed")
    error = {"type": "E", "message": "m", "details": {}, "traceback": "File secret.py"}
    Job.objects.filter(pk=job.pk).update(error=error)
    job.attempts.update(error=error)
    shown = text_of(browser(kind).get(page_of(job)))
    is_admin = kind in (Role.ADMIN, SUPERUSER)
    assert ("File secret.py" in shown, "data-job-audit" in shown) == (is_admin, is_admin)


@pytest.mark.parametrize("kind", _SEEING)
def test_only_the_buttons_that_would_work_are_shown(
    kind: str, browser: Browser, acme: Tenant
) -> None:
    client = browser(kind)
    for verb, (situation, acting) in _VERBS.items():
        shown = text_of(client.get(page_of(in_situation(acme, situation))))
        assert (f'data-job-action="{verb}"' in shown) == (kind in acting), (verb, situation)
    assert "data-job-action" not in text_of(client.get(page_of(in_situation(acme, "completed"))))
