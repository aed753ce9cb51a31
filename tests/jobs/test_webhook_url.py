"""The URL that a job's end is told to, from Python: what is taken, when it is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from pytest_django import Settings

from accounts.models import Tenant
from jobs import lifecycle, registry, webhook_url
from jobs.batches import hand_in
from jobs.enqueue import Enqueued, JobOptions, JobRequest, enqueue, enqueue_many
from jobs.exceptions import InvalidOptions, InvalidWorkflow
from jobs.lifecycle import Move
from jobs.models import Batch, Job, Workflow
from jobs.operations import Actor, retry
from jobs.signals import job_event
from jobs.states import Status
from jobs.webhook_url import Judge, as_stored, outcome, without_path
from jobs.workflows import Step
from jobs.workflows import hand_in as hand_in_workflow
from tests.jobs import making
from tests.jobs.kinds import ECHO
from tests.jobs.making import ERROR, fresh, start
from tests.support.webhook_urls import ANOTHER, HOOK, INSIDE, Looks

pytestmark = pytest.mark.django_db
EVE = Actor(name="user:eve")


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch, tenant: Tenant) -> Looks:
    return Looks(monkeypatch)


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """The transitions of which somebody outside was told."""
    told: list[str] = []

    def receive(*, transition: str, moves: list[Move], **_: Any) -> None:
        told.extend(transition for moved in moves if moved.has_webhook)

    job_event.connect(receive, sender=Job)
    yield told
    job_event.disconnect(receive, sender=Job)


def request(url: str = "", **options: Any) -> JobRequest:
    return JobRequest(type_name=ECHO, payload={}, options=JobOptions(webhook_url=url, **options))


def ask(tenant: Tenant, url: str, **options: Any) -> Enqueued:
    return enqueue(tenant, ECHO, {}, JobOptions(webhook_url=url, **options))


# --- one job ----------------------------------------------------------------------------------


def test_a_job_keeps_its_url_which_is_looked_at_once_with_nothing_open(
    tenant: Tenant, looks: Looks
) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(max_per_day=5)  # handing in then locks a row
    tenant.refresh_from_db()
    job = fresh(ask(tenant, HOOK, unique_key="k", unique_for_seconds=60).job)
    assert (job.webhook_url, job.webhook_delivered, job.webhook_attempts) == (HOOK, None, 0)
    assert (looks.urls, looks.inside) == ([HOOK], [])


def test_it_is_a_keyword_of_every_job_type(tenant: Tenant, looks: Looks) -> None:
    job = registry.get(ECHO).enqueue(tenant=tenant, webhook_url=HOOK)
    assert fresh(job).webhook_url == HOOK


def test_without_a_url_nothing_is_looked_at(tenant: Tenant, looks: Looks) -> None:
    none: Any = None
    assert [fresh(ask(tenant, url).job).webhook_url for url in ("", none)] == ["", ""]
    assert looks.urls == []


@pytest.mark.parametrize(
    "url",
    [
        INSIDE, "http://10.1.2.3/", "ftp://hooks.example.invalid/", "hooks.example.invalid", "/x",
        "https://", "https://eve:pw@hooks.example.invalid/", "javascript:alert(1)",
        "https://hooks.example.invalid/" + "x" * 2_048, "https://hooks.example.invalid/\x00",
        "https://hooks.example.invalid/\nx",
    ],
)  # fmt: skip
def test_a_url_that_may_not_be_called_is_refused_with_the_other_mistakes(
    url: str, tenant: Tenant
) -> None:
    with pytest.raises(InvalidOptions) as refused:
        ask(tenant, url, max_retries=-1)
    errors = {error.pointer: error.detail for error in refused.value.errors}
    assert set(errors) == {"/max_retries", "/webhook_url"}
    assert errors["/webhook_url"].endswith(".")
    assert not Job.objects.exists()


def test_what_the_operator_allows_is_taken(tenant: Tenant, settings: Settings) -> None:
    settings.EGRESS_ALLOW = ["127.0.0.1:8099"]
    assert fresh(ask(tenant, "http://127.0.0.1:8099/x").job).webhook_url
    with pytest.raises(InvalidOptions):
        ask(tenant, "http://127.0.0.1:8100/x")


# --- many jobs --------------------------------------------------------------------------------


def test_of_a_thousand_jobs_with_one_url_it_is_looked_at_once(tenant: Tenant, looks: Looks) -> None:
    done = enqueue_many(tenant, [request(HOOK)] * 999 + [request(ANOTHER)])
    assert all(isinstance(one, Enqueued) for one in done)
    assert (looks.urls, looks.inside) == ([HOOK, ANOTHER], [])
    assert Job.objects.filter(webhook_url=HOOK).count() == 999


def test_a_url_that_is_refused_stops_no_other(tenant: Tenant) -> None:
    good, bad = enqueue_many(tenant, [request(HOOK), request(INSIDE)])
    assert isinstance(good, Enqueued)
    assert isinstance(bad, InvalidOptions)
    assert [error.pointer for error in bad.errors] == ["/webhook_url"]


def test_the_jobs_and_callbacks_of_a_batch_have_theirs(tenant: Tenant, looks: Looks) -> None:
    made = hand_in(
        tenant, [request(HOOK)] * 2, on_complete=request(HOOK), on_failure=request(ANOTHER)
    )
    assert (sorted(looks.urls), looks.inside) == ([HOOK, ANOTHER], [])
    first, second = Job.objects.filter(batch=made.batch).order_by("seq")
    lifecycle.fail(start(first), error=ERROR)
    making.complete(second)
    batch = Batch.objects.get(pk=made.batch.pk)
    urls: dict[UUID | None, str] = dict(Job.objects.values_list("pk", "webhook_url"))
    assert (urls[batch.on_failure_job], urls[batch.on_complete_job]) == (ANOTHER, HOOK)
    assert len(looks.urls) == 2


def test_a_callback_with_a_refused_url_refuses_the_batch(tenant: Tenant) -> None:
    with pytest.raises(InvalidOptions) as refused:
        hand_in(tenant, [request()], on_complete=request(INSIDE))
    assert [error.pointer for error in refused.value.errors] == ["/on_complete/webhook_url"]
    assert not Batch.objects.exists()


def test_the_steps_of_a_workflow_have_theirs(tenant: Tenant, looks: Looks) -> None:
    told = JobOptions(webhook_url=HOOK)
    steps = {name: Step(type_name=ECHO, options=told) for name in ("fetch", "parse")}
    made = hand_in_workflow(tenant, "", {**steps, "clean": Step(type_name=ECHO)})
    urls = {name: fresh(job).webhook_url for name, job in made.jobs.items()}
    assert urls == {"fetch": HOOK, "parse": HOOK, "clean": ""}
    assert (looks.urls, looks.inside) == ([HOOK], [])


def test_a_step_with_a_refused_url_refuses_the_workflow(tenant: Tenant) -> None:
    step = Step(type_name=ECHO, options=JobOptions(webhook_url=INSIDE))
    with pytest.raises(InvalidWorkflow) as refused:
        hand_in_workflow(tenant, "", {"fetch": step})
    assert [error.pointer for error in refused.value.errors] == ["/steps/fetch/webhook_url"]
    assert not Workflow.objects.exists()


# --- one job for many requests, and once more -------------------------------------------------


def test_a_second_request_leaves_the_url_of_the_job_that_is_there(tenant: Tenant) -> None:
    ask(tenant, HOOK, unique_key="k")
    assert ask(tenant, ANOTHER, unique_key="k").job.webhook_url == HOOK
    (again,) = enqueue_many(tenant, [request(ANOTHER, unique_key="k")])
    assert isinstance(again, Enqueued)
    assert fresh(again.job).webhook_url == HOOK


@pytest.mark.parametrize("url", [ANOTHER, ""])
def test_a_request_that_replaces_brings_its_own_url_or_none(url: str, tenant: Tenant) -> None:
    ask(tenant, HOOK, unique_key="k")
    done = ask(tenant, url, unique_key="k", on_duplicate="replace")
    assert (done.replaced, fresh(done.job).webhook_url) == (True, url)


def test_run_again_by_hand_a_job_tells_again_and_its_requests_are_counted_on(
    tenant: Tenant, heard: list[str]
) -> None:
    job = ask(tenant, HOOK).job
    lifecycle.fail(start(job), error=ERROR)
    assert heard.count("fail") == 1
    Job.objects.filter(pk=job.pk).update(webhook_delivered=True, webhook_attempts=2)

    retry(fresh(job), EVE)
    waits = fresh(job)
    assert (waits.status, waits.webhook_url) == (Status.QUEUED, HOOK)
    assert (waits.webhook_delivered, waits.webhook_attempts) == (True, 2)
    making.complete(waits)
    assert heard.count("complete") == 1


def test_of_a_job_without_a_url_nobody_is_told(tenant: Tenant, heard: list[str]) -> None:
    making.complete(ask(tenant, "").job)
    assert heard == []


# --- the looks themselves ---------------------------------------------------------------------


def test_the_looks_of_one_call_end_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(0, 1_000, 6))  # each look takes six seconds
    looked: list[str] = []
    monkeypatch.setattr("jobs.egress.check_url", looked.append)
    judge = Judge(clock=lambda: next(ticks))
    verdicts = [judge(url) for url in ("a", "b", "c", "b")]
    assert looked == ["a", "b"]
    assert [bool(one.refusal) for one in verdicts] == [False, False, True, False]


def test_what_was_judged_is_never_looked_at_again(looks: Looks) -> None:
    judge = Judge()
    assert judge(judge(INSIDE)).refusal
    assert not Judge()(as_stored(INSIDE)).refusal
    assert len(looks.urls) == 1
    assert [error.pointer for error in webhook_url.mistakes_in(judge(INSIDE))] == ["/webhook_url"]
    assert len(looks.urls) == 1


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (HOOK, "https://hooks.example.invalid/…"),
        ("http://a.b:8080?key=1", "http://a.b:8080/…"),
        ("http://a.b#key", "http://a.b/…"),
        ("", ""),
        ("nonsense", ""),
    ],
)
def test_the_audit_trail_is_told_the_host_alone(url: str, told: str) -> None:
    assert without_path(url) == told


@pytest.mark.parametrize(
    ("delivered", "attempts", "words"),
    [
        (None, 0, "pending, 0 requests"),
        (True, 1, "delivered, 1 request"),
        (False, 3, "not delivered, 3 requests"),
    ],
)
def test_what_became_of_it_is_told_in_words(
    delivered: bool | None, attempts: int, words: str
) -> None:
    assert outcome(delivered=delivered, attempts=attempts) == words
