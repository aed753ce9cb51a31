"""What the verbs do to jobs, one or many, and what they answer."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry, Tenant
from accounts.roles import Role
from jobs.admin.verbs import MOST
from jobs.models import Job
from jobs.states import TRANSITIONS, Status
from tests.admin.conftest import Browser
from tests.admin.jobs_around import LIST, act, page_of, queues, text_of
from tests.jobs.making import SITUATIONS, complete, in_situation, queued, start


@pytest.fixture(autouse=True)
def _queues(db: None) -> None:
    queues()


@pytest.fixture
def operator(browser: Browser) -> Client:
    return browser(Role.OPERATOR)


def _do(client: Client, verb: str, *jobs: Job, **fields: str) -> Any:
    posted = {"job": [str(job.pk) for job in jobs], "confirmed": "1", "amount": "20", **fields}
    return client.post(act(verb), posted)


def _told(client: Client, verb: str, *jobs: Job, **fields: str) -> str:
    """What the list says after it."""
    return text_of(client.get(_do(client, verb, *jobs, **fields)["Location"]))


def _status(job: Job) -> str:
    return Job.objects.get(pk=job.pk).status


def test_many_at_once_are_changed_and_the_answer_counts_both_kinds(
    operator: Client, acme: Tenant
) -> None:
    waiting = [queued(acme) for _ in range(3)]
    done = complete(queued(acme))
    told = _told(operator, "cancel", *waiting, done)
    assert {_status(job) for job in waiting} == {Status.CANCELLED}
    assert _status(done) == Status.COMPLETED
    assert "3 jobs cancelled or asked to end." in told
    assert "1 job left alone: the status is completed." in told
    assert AuditEntry.objects.filter(action="job.cancel").count() == 3


@pytest.mark.parametrize("verb", ["cancel", "retry", "boost", "discard", "run-now"])
@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_verb_does_what_the_state_machine_allows_and_nothing_else(
    situation: str, verb: str, operator: Client, acme: Tenant
) -> None:
    names = {"retry": "revive", "run-now": "promote"}
    job = in_situation(acme, situation)
    allowed = job.status in TRANSITIONS[names.get(verb, verb)].sources
    allowed = allowed and (verb, situation) != ("cancel", "asked to cancel")
    _do(operator, verb, job)
    assert AuditEntry.objects.filter(object_id=str(job.pk)).exists() == allowed


def test_the_audit_entry_names_the_person_and_the_address(operator: Client, acme: Tenant) -> None:
    job = queued(acme)
    _do(operator, "boost", job)
    entry = AuditEntry.objects.get(object_id=str(job.pk))
    assert (entry.actor, entry.address) == ("user:the-operator", "127.0.0.1")
    assert entry.after == {"status": "queued", "priority": job.priority + 20}


@pytest.mark.parametrize("amount", ["", "0", "-5", "101", "x", "²", "1.5"])
def test_a_boost_by_nonsense_changes_nothing_and_says_so(
    amount: str, operator: Client, acme: Tenant
) -> None:
    job = queued(acme)
    assert "whole number from 1 to 100" in _told(operator, "boost", job, amount=amount)
    assert Job.objects.get(pk=job.pk).priority == job.priority


@pytest.mark.parametrize("verb", ["cancel", "discard"])
def test_what_cannot_be_undone_is_asked_first(verb: str, operator: Client, acme: Tenant) -> None:
    job = in_situation(acme, "ready" if verb == "cancel" else "failed")
    question = operator.post(act(verb), {"job": str(job.pk)})
    assert f'data-job-confirm="{verb}"' in text_of(question)
    assert not AuditEntry.objects.filter(object_id=str(job.pk)).exists()


def test_a_taken_unique_key_refuses_that_job_only(operator: Client, acme: Tenant) -> None:
    first, second = queued(acme, unique_key="one"), in_situation(acme, "failed")
    _do(operator, "cancel", first)
    queued(acme, unique_key="one")
    told = _told(operator, "retry", first, second)
    assert "1 job queued again." in told
    assert "Another active job holds the unique key" in told
    assert (_status(first), _status(second)) == (Status.CANCELLED, Status.QUEUED)


@pytest.mark.parametrize(("verb", "end"), [("put-back", "queued"), ("give-up", "failed")])
def test_a_stuck_job_is_taken_from_its_worker(
    verb: str, end: str, browser: Browser, acme: Tenant
) -> None:
    job = queued(acme)
    held = start(job)
    _do(browser(Role.ADMIN), verb, job)
    now = Job.objects.get(pk=job.pk)
    assert now.status == end
    assert now.fence > held.fence
    attempt = job.attempts.get()
    assert attempt.error is not None
    assert "user:the-admin" in attempt.error["message"]


def test_no_more_than_a_page_of_jobs_is_taken_at_once(operator: Client, acme: Tenant) -> None:
    first, last = queued(acme), queued(acme)
    ids = [str(first.pk)] + [str(first.pk)] * (MOST - 1) + [str(last.pk)]
    operator.post(act("boost"), {"job": ids, "amount": "5"})
    assert Job.objects.get(pk=first.pk).priority == first.priority + 5
    assert Job.objects.get(pk=last.pk).priority == last.priority


def test_choosing_nothing_says_so(operator: Client) -> None:
    assert "No jobs were chosen." in _told(operator, "retry")


def test_ids_that_are_none_are_passed_over(operator: Client, acme: Tenant) -> None:
    job = queued(acme)
    answer = operator.post(act("boost"), {"job": ["x", "", str(job.pk)], "amount": "5"})
    assert answer.status_code == 302
    assert Job.objects.get(pk=job.pk).priority == job.priority + 5


@pytest.mark.parametrize("back", ["status=queued&q=a%20b", "//evil.example/", "\r\nX: y"])
def test_the_way_back_is_the_list_as_it_was_and_nowhere_else(
    back: str, operator: Client, acme: Tenant
) -> None:
    answer = _do(operator, "boost", queued(acme), back=back)
    assert answer["Location"].startswith(LIST)
    job = queued(acme)
    page = operator.post(act("boost"), {"job": str(job.pk), "from": "page", "amount": "5"})
    assert page["Location"] == page_of(job)


def test_a_verb_is_not_done_by_looking(operator: Client, acme: Tenant) -> None:
    job = queued(acme)
    assert operator.get(act("cancel"), {"job": str(job.pk), "confirmed": "1"}).status_code == 404
    assert operator.post(act("no-such"), {"job": str(job.pk)}).status_code == 404
    assert _status(job) == Status.QUEUED
