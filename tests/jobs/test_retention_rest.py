"""Results are hidden in time, rows that nobody needs go, and the command does it all by hand."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone

from accounts.access import Access
from accounts.models import IdempotencyKey, Tenant
from accounts.terminal import operator
from jobs import JobContext, job_type, lifecycle
from jobs.api.presenting import job_document
from jobs.enqueue import enqueue
from jobs.models import (
    Job,
    KeyState,
    Pause,
    RateUse,
)
from jobs.retention import Retention, has_expired, result_of
from jobs.retention.plan import due_now
from jobs.retention.round import run_to_the_end, whole_round
from tests.jobs import making
from tests.jobs.aged import age, completed, ended

pytestmark = pytest.mark.django_db(transaction=True)


def is_there(job: Job) -> bool:
    return Job.objects.filter(pk=job.pk).exists()


# --- results -----------------------------------------------------------------------------------


def test_a_result_is_hidden_after_a_day_and_stays_in_its_row(tenant: Tenant) -> None:
    young, old = completed(tenant, days=0.9), completed(tenant, days=1.1)

    assert (result_of(young), result_of(old)) == ("done", None)
    assert (has_expired(young), has_expired(old)) == (False, True)
    assert old.result == "done"


def test_an_expired_result_is_shown_nowhere(tenant: Tenant) -> None:
    job = making.complete(making.queued(tenant), result="only for a day")
    everywhere = Access(principal=operator(), tenant=None)

    def shown() -> list[bool]:
        found = making.fresh(job)
        out = io.StringIO()
        call_command("jobs", "show", str(job.pk), "--json", stdout=out)
        texts = [json.dumps(job_document(found, everywhere)), out.getvalue()]
        return ["only for a day" in text for text in texts]

    assert shown() == [True, True]
    age(job, days=2)
    assert shown() == [False, False]


@pytest.mark.usefixtures("declaring")
@pytest.mark.parametrize(("hours", "is_kept"), [(None, True), (100, True), (1, False)])
def test_a_type_says_how_long_its_results_can_be_read(
    tenant: Tenant, hours: float | None, is_kept: bool
) -> None:
    @job_type("kept.result", result_retention_hours=hours)
    def keep(context: JobContext) -> None: ...

    job = age(making.complete(enqueue(tenant, "kept.result", {}).job), days=2)

    assert result_of(job) == ("done" if is_kept else None)


def test_the_notes_that_ship_can_be_read_as_long_as_their_job(tenant: Tenant) -> None:
    job = enqueue(tenant, "notes.text", {"content": "A text."}).job

    assert result_of(age(making.complete(job), days=29)) == "done"


# --- other rows, and the command ---------------------------------------------------------------


def _old_rows(tenant: Tenant, gone: timedelta) -> None:
    now = timezone.now()
    IdempotencyKey.objects.create(
        tenant=tenant, method="POST", path="/", key=str(gone), request_sha256=b"0"
    )
    IdempotencyKey.objects.filter(key=str(gone)).update(created_at=now - gone)
    Session.objects.create(session_key=str(gone), expire_date=now - gone)
    RateUse.objects.create(bucket="x", job_id=UUID(int=1), fence=1, booked_at=now - gone)
    KeyState.objects.create(tenant=tenant, key=str(gone), closed_until=now - gone)


def test_rows_that_nobody_needs_any_more_go(tenant: Tenant) -> None:
    _old_rows(tenant, timedelta(days=1.1))

    run_to_the_end()

    for model in (IdempotencyKey, Session, RateUse, KeyState):
        assert not model._default_manager.exists(), model


def test_keys_that_failed_long_ago_are_forgotten(tenant: Tenant) -> None:
    then = timezone.now() - timedelta(hours=25)
    KeyState.objects.create(tenant=tenant, key="failing", failures=1, closed_until=then)
    KeyState.objects.create(tenant=tenant, key="circuit", opened_at=then, closed_until=then)

    run_to_the_end()

    assert not KeyState.objects.exists()


@pytest.mark.parametrize(("rate", "hours", "is_kept"), [
    ("", 0.9, True), ("", 1.1, False), ("5/3h", 1.1, True), ("5/3h", 3.1, False)
])  # fmt: skip
def test_starts_are_kept_as_long_as_the_longest_rate(
    tenant: Tenant, rate: str, hours: float, is_kept: bool
) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(rate_limit=rate)
    then = timezone.now() - timedelta(hours=hours)
    RateUse.objects.create(bucket="x", job_id=UUID(int=1), fence=1, booked_at=then, started_at=then)

    run_to_the_end()

    assert RateUse.objects.exists() is is_kept


def test_no_kind_of_row_waits_until_another_is_through(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Endless:
        is_over = False

        def step(self) -> int:
            return 1

    _old_rows(tenant, timedelta(days=1.1))
    rest = whole_round()[1:]
    monkeypatch.setattr("jobs.retention.round.whole_round", lambda: [("jobs", Endless()), *rest])
    retention = Retention()
    for _ in range(len(rest) + 1):
        retention.run()

    assert not RateUse.objects.exists()
    assert not KeyState.objects.exists()


def test_rows_that_somebody_still_needs_stay(tenant: Tenant) -> None:
    _old_rows(tenant, timedelta(days=-0.9))
    lately = timezone.now() - timedelta(hours=23)
    KeyState.objects.create(tenant=tenant, key="failing", failures=1, closed_until=lately)
    KeyState.objects.create(
        tenant=tenant, key="open circuit", opened_at=lately, closed_until=lately
    )
    year_ago = timezone.now() - timedelta(days=366)
    pauses = {
        "ended": {"ended_at": year_ago},
        "over": {"until": year_ago},
        "in force": {},
        "ended lately": {"ended_at": timezone.now()},
    }
    for target, moments in pauses.items():
        Pause.objects.create(kind="queue", target=target, created_by="eve", **moments)

    run_to_the_end()

    assert IdempotencyKey.objects.count() == Session.objects.count() == RateUse.objects.count() == 1
    assert KeyState.objects.count() == 3
    assert {*Pause.objects.values_list("target", flat=True)} == {"in force", "ended lately"}


def said(*arguments: str) -> str:
    out = io.StringIO()
    call_command("retention", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_tells_what_would_go_and_removes_it(tenant: Tenant) -> None:
    assert said("--dry-run") == "No job is due.\n"
    assert said() == "Nothing was due.\n"
    for _ in range(2):
        completed(tenant, days=40)
    ended(tenant, "failed", days=40)
    needed = making.queued(tenant)
    making.blocked(tenant, needed)
    making.blocked(tenant, making.queued(tenant), needed)
    age(making.complete(needed), days=40)

    assert said("--dry-run").split("\n") == [
        "        2  completed  diagnostics.echo",
        "        1  failed     diagnostics.echo",
        "3 jobs would be removed.",
        "",
    ]
    assert said() == "        3  jobs\n"
    assert is_there(needed)
    assert due_now() == []


EXPIRING: dict[str, Callable[[Tenant], Job]] = {
    "blocked": lambda tenant: making.blocked(tenant, **_in_a_minute()),
    "scheduled": lambda tenant: making.queued(tenant, delay_seconds=10, **_in_a_minute()),
    "queued": lambda tenant: making.queued(tenant, **_in_a_minute()),
}


def _in_a_minute() -> dict[str, Any]:
    return {"expires_at": timezone.now() + timedelta(minutes=1)}


@pytest.mark.parametrize("status", EXPIRING)
def test_a_job_that_nobody_started_in_time_is_cancelled_whatever_it_waits_for(
    tenant: Tenant, status: str
) -> None:
    job = EXPIRING[status](tenant)
    assert job.status == status
    making.let_pass(job, "expires_at")

    assert [moved.id for moved in lifecycle.expire(10)] == [job.pk]
    assert making.fresh(job).cancelled_by == "expiry"
