"""Dead letters by group in the admin: who sees what, and running or discarding a whole group."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry, Tenant
from accounts.roles import Role
from jobs import bulk, lifecycle
from jobs.admin import failures as pages
from jobs.models import Job
from jobs.states import Status
from tests.admin.conftest import ANONYMOUS, KINDS, PLAIN, STAFF, SUPERUSER, Browser
from tests.admin.jobs_around import LIST, page_of, queues, text_of
from tests.jobs import making
from tests.jobs.making import queued

PAGE = f"{LIST}failures/"
ERROR = {"type": "OSError", "message": "away", "details": {}, "frames": ["shop.mail.send"]}
_ACTING = (Role.OPERATOR, Role.ADMIN, SUPERUSER)


@pytest.fixture(autouse=True)
def _queues(db: None) -> None:
    queues()


@pytest.fixture
def operator(browser: Browser) -> Client:
    return browser(Role.OPERATOR)


def dead(tenant: Tenant, message: str = "away", kind: str = "OSError", **options: Any) -> Job:
    job = queued(tenant, **options)
    lifecycle.fail(making.start(job), error={**ERROR, "message": message, "type": kind})
    return making.fresh(job)


def do(client: Client, verb: str, job: Job, **fields: str) -> Any:
    asked = {"fingerprint": job.fingerprint, "tenant": job.tenant.slug, **fields}
    return client.post(f"{PAGE}{verb}/", asked)


def told(client: Client, verb: str, job: Job) -> str:
    """What the page says after it was confirmed."""
    return text_of(client.get(do(client, verb, job, confirmed="1")["Location"]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_is_for_members_of_some_tenant(
    kind: str, browser: Browser, acme: Tenant, other: Tenant
) -> None:
    mine, foreign = dead(acme, "mine is away"), dead(other, "theirs is away")
    answer = browser(kind).get(PAGE)
    if kind in (ANONYMOUS, PLAIN):
        assert answer.status_code == 302
    elif kind == STAFF:
        assert answer.status_code == 403
    else:
        shown = text_of(answer)
        assert "mine is away" in shown
        assert ("theirs is away" in shown) == (kind == SUPERUSER)
        assert ("shop.mail.send" in shown) == (kind in (Role.ADMIN, SUPERUSER))
        assert ("Retry all" in shown) == (kind in _ACTING)
        assert mine.fingerprint == foreign.fingerprint


@pytest.mark.parametrize("verb", ["retry", "discard"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_group_is_acted_on_by_operators_of_its_tenant_alone(
    kind: str, verb: str, browser: Browser, acme: Tenant, other: Tenant
) -> None:
    mine, foreign = dead(acme), dead(other)
    client = browser(kind)
    for job, may in ((mine, kind in _ACTING), (foreign, kind == SUPERUSER)):
        answer = do(client, verb, job, confirmed="1")
        changed = making.row(job) != {**making.row(job), "status": "failed", "discarded_at": None}
        assert changed == may
        assert answer.status_code == (
            302 if may or kind in (ANONYMOUS, PLAIN) else _refusal(kind, job)
        )


def _refusal(kind: str, job: Job) -> int:
    return 403 if kind == Role.VIEWER and job.tenant.slug == "acme" else 404


@pytest.mark.parametrize(
    ("verb", "question"),
    [("retry", "This runs 3 jobs again."), ("discard", "This discards 3 jobs.")],
)
def test_before_anything_is_done_the_page_says_to_how_many(
    verb: str, question: str, operator: Client, acme: Tenant
) -> None:
    jobs = [dead(acme) for _ in range(3)]
    dead(acme, kind="ValueError")
    shown = text_of(do(operator, verb, jobs[0]))
    assert question in shown
    assert {making.fresh(job).status for job in jobs} == {Status.FAILED}
    assert not AuditEntry.objects.filter(object_type="failure").exists()


def test_a_group_that_is_retried_runs_again_and_the_page_counts_both_kinds(
    operator: Client, acme: Tenant
) -> None:
    free = [dead(acme) for _ in range(2)]
    held = dead(acme, unique_key="nightly")
    queued(acme, unique_key="nightly")
    said = told(operator, "retry", held)
    assert "2 jobs queued again." in said
    assert "1 job left alone: another active job holds the unique key." in said
    assert {making.fresh(job).status for job in free} == {Status.QUEUED}
    entry = AuditEntry.objects.get(action="failure.retry")
    assert (entry.actor, entry.address) == ("user:the-operator", "127.0.0.1")


def test_a_discarded_group_is_gone_from_the_page(operator: Client, acme: Tenant) -> None:
    job = dead(acme)
    assert "1 job discarded." in told(operator, "discard", job)
    assert 'data-failures="empty"' in text_of(operator.get(PAGE))


def test_a_very_large_group_takes_several_presses_and_the_page_says_so(
    operator: Client, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST", 2)
    monkeypatch.setattr(pages, "CALLS", 2)
    jobs = [dead(acme) for _ in range(5)]
    assert "4 jobs queued again. There are more: press again." in told(operator, "retry", jobs[0])
    left = Job.objects.get(status=Status.FAILED)
    assert "1 job queued again." in told(operator, "retry", left)


def test_from_a_group_one_comes_to_its_jobs_and_to_no_others(
    operator: Client, acme: Tenant
) -> None:
    alike = [dead(acme) for _ in range(2)]
    other = dead(acme, kind="ValueError")
    shown = text_of(operator.get(LIST, {"q": f"failure:{alike[0].fingerprint}"}))
    for job in alike:
        assert f'data-job-id="{job.pk}"' in shown
    assert f'data-job-id="{other.pk}"' not in shown


def test_a_failed_jobs_page_tells_how_many_are_like_it(operator: Client, acme: Tenant) -> None:
    job = dead(acme)
    assert "Failed alike" not in text_of(operator.get(page_of(job)))
    for _ in range(2):
        dead(acme)
    shown = text_of(operator.get(page_of(job)))
    assert "2 others" in shown
    assert f"failure%3A{job.fingerprint}" in shown


def test_older_groups_stand_on_the_next_page(
    operator: Client, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE", 1)
    older, newer = dead(acme), dead(acme, kind="ValueError")
    first = text_of(operator.get(PAGE))
    assert older.fingerprint not in first
    assert f"before={newer.seq}" in first
    second = text_of(operator.get(PAGE, {"before": str(newer.seq)}))
    assert f'data-failure="{older.fingerprint}"' in second
    assert "data-failures-older" not in second


@pytest.mark.parametrize("before", ["x", "-1", "1" * 30, "²"])
def test_a_page_that_is_none_is_the_first(before: str, operator: Client, acme: Tenant) -> None:
    job = dead(acme)
    assert job.fingerprint in text_of(operator.get(PAGE, {"before": before}))


def test_a_group_that_is_gone_and_a_verb_that_is_none_are_not_found(
    operator: Client, acme: Tenant
) -> None:
    job = dead(acme)
    assert do(operator, "cancel", job).status_code == 404
    assert operator.get(f"{PAGE}retry/").status_code == 404
    assert do(operator, "retry", Job(fingerprint="0" * 32, tenant=acme)).status_code == 404
    assert do(operator, "retry", Job(fingerprint="\x00", tenant=acme)).status_code == 404


def test_a_message_cannot_bring_its_own_markup(operator: Client, acme: Tenant) -> None:
    dead(acme, "<script>alert(1)</script>")
    assert "<script>alert(1)" not in text_of(operator.get(PAGE))
