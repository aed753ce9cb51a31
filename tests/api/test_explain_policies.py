"""GET /jobs/{id}/explain: pauses, closed keys, limits and quotas, each with its numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Tenant
from jobs import Circuit, JobContext, job_type, registry
from jobs.explain import Code, explain
from jobs.models import (
    Job,
    KeyState,
    Leadership,
    Pause,
    Queue,
    RateUse,
    Rollup,
    Worker,
)
from jobs.policies import buckets
from jobs.states import Status
from tests.api import kinds
from tests.api.calling import Caller
from tests.api.conftest import MakeJob
from tests.jobs.crowd import crowd

CRAWL, KEY = "explaintests.crawl", "reddit:python"
MakeCrawl = Callable[..., Job]


@pytest.fixture(autouse=True)
def at_work(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dispatcher that leads, a worker with room, and a type with limits of every kind."""
    monkeypatch.setattr(registry, "_types", dict(registry._types))

    @job_type(
        CRAWL, circuit=Circuit(),
        max_concurrency=3, limit_key="reddit:{subreddit}", key_max_concurrency=2,
        key_rate_limit="3/m",
    )  # fmt: skip
    def crawl(context: JobContext, *, subreddit: str) -> None:
        """Nothing."""

    Leadership.objects.update_or_create(
        duty="dispatcher", defaults={"expires_at": Now() + timedelta(minutes=5)}
    )
    Worker.objects.create(
        name="w", incarnation=uuid4(), queues=["default"], types=[kinds.report.name, CRAWL],
        slots=50,
    )  # fmt: skip


@pytest.fixture
def now() -> datetime:
    """Taken by each test: the API looks at its own clock beside it."""
    return timezone.now()


@pytest.fixture
def make_crawl(make_job: MakeJob) -> MakeCrawl:
    def make(tenant: Tenant, status: Status = Status.QUEUED, *, key: str = KEY, **row: Any) -> Job:
        return make_job(tenant, status, row={"type": CRAWL, "limit_key": key, **row})

    return make


def explained(caller: Caller, job: Job) -> dict[str, Any]:
    answer = caller.get(f"/jobs/{job.pk}/explain")
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.body
    return body


def reason(caller: Caller, job: Job, code: str) -> dict[str, Any]:
    """The only reason, which is a hard one and says what would change it."""
    body = explained(caller, job)
    (only,) = [one for one in body["reasons"] if one["code"] != "queued_behind"]
    assert (only["code"], body["runnable"]) == (code, False)
    assert only["remedy"]
    return dict(only)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def paused(kind: str, target: str, tenant: Tenant | None = None, **row: Any) -> Pause:
    return Pause.objects.create(
        kind=kind, target=target, tenant=tenant, created_by="user:eve", **row
    )


@pytest.mark.parametrize("kind", ["queue", "type", "tenant", "key"])
@pytest.mark.parametrize("status", [Status.QUEUED, Status.SCHEDULED, Status.BLOCKED])
def test_a_pause_of_any_kind_is_told_with_its_reason_and_not_with_its_maker(
    kind: str, status: Status, caller: Caller, acme: Tenant, make_crawl: MakeCrawl
) -> None:
    target = {"queue": "default", "type": CRAWL, "tenant": "acme", "key": KEY}[kind]
    job = make_crawl(acme, status)
    before = explained(caller, job)
    paused(kind, target, acme if kind in ("tenant", "key") else None, reason="moving house")
    after = explained(caller, job)
    (told,) = [one for one in after["reasons"] if one["code"] == "paused"]
    assert told["object"] == f"{kind}:{target}"
    assert f"{kind} {target}" in told["detail"].lower()
    assert "moving house" in told["detail"]
    assert told["until"] is None
    assert "resume" in told["remedy"].lower()
    assert "eve" not in str(after)
    assert len(after["reasons"]) == len(before["reasons"]) + 1
    assert (after["runnable"], after["expected_start_at"]) == (False, None)


def test_a_pause_with_an_end_says_when_and_the_start_is_expected_then(
    caller: Caller, acme: Tenant, make_crawl: MakeCrawl
) -> None:
    until = timezone.now() + timedelta(minutes=7)
    paused("queue", "default", until=until)
    job = make_crawl(acme)
    assert moment(reason(caller, job, "paused")["until"]) == until
    assert moment(explained(caller, job)["expected_start_at"]) == until


def test_pauses_of_others_and_those_that_are_over_are_no_reason(
    caller: Caller, acme: Tenant, other: Tenant, make_crawl: MakeCrawl
) -> None:
    paused("tenant", "other", other)
    paused("key", KEY, other)
    paused("queue", "default", ended_at=timezone.now())
    paused("queue", "default", until=timezone.now() - timedelta(seconds=1))
    assert explained(caller, make_crawl(acme))["reasons"] == []


def test_several_reasons_are_all_told(caller: Caller, acme: Tenant, make_crawl: MakeCrawl) -> None:
    paused("queue", "default")
    paused("type", CRAWL)
    KeyState.objects.create(tenant=acme, key=KEY, closed_until=Now() + timedelta(minutes=1))
    for _ in range(3):
        make_crawl(acme, Status.PROCESSING)
    Tenant.objects.filter(pk=acme.pk).update(max_running=1)
    codes = sorted(one["code"] for one in explained(caller, make_crawl(acme))["reasons"])
    assert codes == [
        "concurrency_limited", "concurrency_limited", "paused", "paused", "quota", "rate_limited",
    ]  # fmt: skip


def test_a_key_that_was_closed_is_a_rate_limit_with_its_end(
    caller: Caller, acme: Tenant, other: Tenant, make_crawl: MakeCrawl
) -> None:
    until = timezone.now() + timedelta(minutes=3)
    KeyState.objects.create(tenant=acme, key=KEY, closed_until=until, reason="429 of reddit")
    told = reason(caller, make_crawl(acme), "rate_limited")
    assert (told["object"], moment(told["until"])) == (f"key:{KEY}", until)
    assert "429 of reddit" in told["detail"]
    assert explained(caller, make_crawl(acme, key="reddit:rust"))["runnable"] is True


def test_an_open_circuit_says_why_and_until_when(
    caller: Caller, acme: Tenant, make_crawl: MakeCrawl
) -> None:
    until = timezone.now() + timedelta(minutes=1)
    KeyState.objects.create(
        tenant=acme, key=KEY, closed_until=until, opened_at=Now(), reason="5 failures in a row"
    )
    told = reason(caller, make_crawl(acme), "circuit_open")
    assert (told["object"], moment(told["until"])) == (f"key:{KEY}", until)
    assert "5 failures in a row" in told["detail"]


def test_while_an_open_circuit_tries_one_job_the_others_wait_for_it(
    caller: Caller, acme: Tenant, make_crawl: MakeCrawl
) -> None:
    KeyState.objects.create(
        tenant=acme, key=KEY, closed_until=Now() - timedelta(minutes=1), opened_at=Now()
    )
    job = make_crawl(acme)
    assert explained(caller, job)["runnable"] is True  # it may be the one
    make_crawl(acme, Status.PROCESSING)
    assert "tries one job" in reason(caller, job, "circuit_open")["detail"]


def test_a_concurrency_limit_says_how_many_jobs_of_what_run(
    caller: Caller, acme: Tenant, other: Tenant, make_crawl: MakeCrawl
) -> None:
    job = make_crawl(acme)
    make_crawl(acme, Status.PROCESSING)
    make_crawl(other, Status.PROCESSING)  # its key is its own
    assert explained(caller, job)["runnable"] is True
    make_crawl(acme, dispatched_at=timezone.now(), sent_priority=50)  # a sent one counts too
    Job.objects.filter(tenant=other).update(type=kinds.report.name)
    told = reason(caller, job, "concurrency_limited")
    assert told["object"] == f"key:{KEY}"
    assert told["detail"] == f"2 of 2 jobs of key {KEY} run or are on their way to a worker."


def test_g10_limits_of_a_queue_and_of_a_type_are_told_without_a_number_of_others(
    caller: Caller, acme: Tenant, other: Tenant, make_crawl: MakeCrawl
) -> None:
    for _ in range(3):
        make_crawl(other, Status.PROCESSING)
    job = make_crawl(acme)
    told = reason(caller, job, "concurrency_limited")
    assert (told["object"], told["detail"]) == (
        f"type:{CRAWL}", f"The limit of 3 for type {CRAWL} is used up.",
    )  # fmt: skip
    Queue.objects.filter(pk="default").update(max_concurrency=2)
    body = explained(caller, job)
    details = [one["detail"] for one in body["reasons"]]
    assert "The limit of 2 for queue default is used up." in details
    assert "other" not in str(body["reasons"]).replace("the others", "")


def test_a_tenant_with_all_it_may_run_has_used_up_its_quota(
    caller: Caller, acme: Tenant, other: Tenant, make_job: MakeJob
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(max_running=2)
    for tenant in (acme, acme, other):
        make_job(tenant, Status.PROCESSING)
    told = reason(caller, make_job(acme), "quota")
    assert (told["object"], told["detail"]) == (
        "tenant:acme", "2 of 2 jobs of tenant acme run.",
    )  # fmt: skip


def test_a_limit_expects_its_next_room_from_how_long_such_jobs_run(
    now: datetime, acme: Tenant, make_crawl: MakeCrawl
) -> None:
    for seconds in (10, 40):
        running = make_crawl(acme, Status.PROCESSING)
        Job.objects.filter(pk=running.pk).update(started_at=now - timedelta(seconds=seconds))
    first, second = make_crawl(acme), make_crawl(acme)
    assert explain(first, now).expected_start_at is None  # nothing was measured
    Rollup.objects.create(
        minute=now - timedelta(minutes=2), tenant_id=acme.pk, queue="default", type=CRAWL,
        completed=4, run_seconds=400,
    )  # fmt: skip
    crowd(acme, 60, Status.COMPLETED, ago=5)  # the queue itself is fast
    expected = [explain(job, now).expected_start_at for job in (first, second)]
    assert expected == [now + timedelta(seconds=60), now + timedelta(seconds=90)]


def test_a_job_that_was_sent_has_its_room_already(
    caller: Caller, acme: Tenant, make_crawl: MakeCrawl
) -> None:
    make_crawl(acme, Status.PROCESSING)
    sent = make_crawl(acme, dispatched_at=timezone.now(), sent_priority=50)
    body = explained(caller, sent)
    assert (body["runnable"], body["reasons"]) == (True, [])


def _used(now: datetime, bucket: str, *seconds_ago: float | None) -> None:
    for ago in seconds_ago:
        started_at = None if ago is None else now - timedelta(seconds=ago)
        RateUse.objects.create(
            bucket=bucket, job_id=uuid4(), fence=1, booked_at=now, started_at=started_at
        )


def test_a_rate_says_how_much_is_used_and_when_the_next_start_is_free(
    now: datetime, acme: Tenant, other: Tenant, make_crawl: MakeCrawl
) -> None:
    job, bucket = make_crawl(acme), buckets.of_key(acme.pk, KEY)
    _used(now, buckets.of_key(other.pk, KEY), 1, 1, 1)
    _used(now, bucket, 70, 45, 5)
    assert explain(job, now).runnable  # one was too long ago
    _used(now, bucket, None)  # sent, not started: it counts
    found = explain(job, now)
    (told,) = found.reasons
    assert (told.code, told.object) == (Code.RATE_LIMITED, f"key:{KEY}")
    assert f"3 of 3 starts of key {KEY} within 1 min are used" in told.detail
    assert "in 15 s" in told.detail
    assert told.until == found.expected_start_at == now + timedelta(seconds=15)


@pytest.mark.parametrize("of", ["queue", "tenant"])
def test_rates_of_queues_and_tenants_hold_back_too(
    of: str, now: datetime, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    if of == "queue":
        Queue.objects.filter(pk="default").update(rate_limit="2/h")
        _used(now, buckets.of_queue("default"), 60, 30)
    else:
        Tenant.objects.filter(pk=acme.pk).update(rate_limit="2/h")
        _used(now, buckets.of_tenant(acme.pk), 60, 30)
    told = reason(caller, make_job(acme), "rate_limited")
    assert {"queue": "All 2 starts", "tenant": "2 of 2 starts"}[of] in told["detail"]
    assert told["object"] == {"queue": "queue:default", "tenant": "tenant:acme"}[of]


def test_behind_others_of_its_rate_a_job_is_expected_some_windows_later(
    now: datetime, acme: Tenant, make_crawl: MakeCrawl
) -> None:
    crowd(acme, 60, Status.COMPLETED, ago=5)
    _used(now, buckets.of_key(acme.pk, KEY), 10, 10, 10)
    expected = [explain(make_crawl(acme), now).expected_start_at for _ in range(7)]
    seconds = [50, 50, 50, 110, 110, 110, 170]
    assert expected == [now + timedelta(seconds=each) for each in seconds]
