"""Unique keys that outlive their job, that take a newer wish, that wait for calm."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Tenant
from jobs import JobContext, JobType, job_type, lifecycle, unique
from jobs.enqueue import DependsOn, Enqueued, JobOptions, JobRequest, enqueue, enqueue_many
from jobs.exceptions import DeclarationError, InvalidOptions, InvalidPayload, UniqueKeyTaken
from jobs.models import Job
from jobs.operations import Actor, retry
from jobs.states import Status
from tests.jobs import making
from tests.jobs.kinds import ECHO
from tests.jobs.racing import meanwhile, together
from tests.support.buffers import undone

EVE = Actor(name="user:eve")


def ask(tenant: Tenant, payload: dict[str, Any] | None = None, **options: Any) -> Enqueued:
    asked = JobOptions(**{"unique_key": "k", **options})
    return enqueue(tenant, ECHO, payload or {}, asked)


@pytest.fixture
def crawl(declaring: None) -> JobType[..., Any]:
    """One crawl of a subreddit at a time, and one an hour."""

    @job_type("reddit.crawl", unique_key="{subreddit}", unique_for=3600, limit_key="r:{subreddit}")
    def crawl(context: JobContext, *, subreddit: str, depth: int = 1) -> None: ...

    return crawl


# --- a key for a time -----------------------------------------------------------------------


def test_a_key_with_a_time_is_taken_though_its_job_completed(tenant: Tenant) -> None:
    first = ask(tenant, unique_for_seconds=3600)
    making.complete(first.job)

    again = ask(tenant, unique_for_seconds=3600)

    assert (again.created, again.job) == (False, first.job)
    assert ask(tenant, unique_key="another", unique_for_seconds=3600).created


def test_a_request_without_a_time_finds_the_key_taken_as_well(tenant: Tenant) -> None:
    first = ask(tenant, unique_for_seconds=3600)
    making.complete(first.job)

    assert ask(tenant).job == first.job


def test_once_the_time_is_over_the_key_is_free(tenant: Tenant) -> None:
    first = ask(tenant, unique_for_seconds=3600)
    making.complete(first.job)
    making.let_pass(first.job, "unique_until")

    assert ask(tenant, unique_for_seconds=3600).created


def test_a_job_that_outlives_its_time_holds_the_key_while_it_is_active(tenant: Tenant) -> None:
    first = ask(tenant, unique_for_seconds=3600)
    making.let_pass(first.job, "unique_until")

    assert not ask(tenant, unique_for_seconds=3600).created


@pytest.mark.parametrize("ending", ["fail", "cancel"])
def test_a_job_that_failed_or_was_cancelled_blocks_nobody(ending: str, tenant: Tenant) -> None:
    first = ask(tenant, unique_for_seconds=3600)
    if ending == "fail":
        lifecycle.fail(making.start(first.job), error=making.ERROR)
    else:
        lifecycle.cancel(first.job.pk, by="user:eve")

    assert ask(tenant, unique_for_seconds=3600).created


def test_the_active_holder_is_told_rather_than_one_that_completed(tenant: Tenant) -> None:
    revived = ask(tenant, unique_for_seconds=3600).job
    lifecycle.cancel(revived.pk, by="user:eve")
    done = ask(tenant, unique_for_seconds=3600).job
    making.complete(done)
    Job.objects.filter(pk=revived.pk).update(status=Status.QUEUED, cancelled_at=None)

    assert ask(tenant).job == revived


def test_a_key_that_thousands_of_ended_jobs_had_is_looked_up_as_fast(tenant: Tenant) -> None:
    done = making.complete(ask(tenant, unique_for_seconds=3600).job)
    making.let_pass(done, "unique_until")
    columns = [field.column for field in Job._meta.fields if field.name not in ("id", "seq")]
    copied = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO jobs_job (id, {copied}) SELECT gen_random_uuid(), {copied}
                  FROM jobs_job, generate_series(1, 5000)"""
        )
        cursor.execute("ANALYZE jobs_job")
    holder = ask(tenant, unique_for_seconds=3600).job

    found, buffers = undone(lambda: unique.holder_of(holder))

    assert found == holder
    assert buffers < 60


@pytest.mark.django_db(transaction=True)
def test_of_requests_at_the_same_moment_one_makes_the_job(tenant: Tenant) -> None:
    made = together(*[lambda: ask(tenant, unique_for_seconds=3600)] * 6)

    assert [each.created for each in made].count(True) == 1
    assert len({each.job.pk for each in made}) == 1


@pytest.mark.django_db(transaction=True)
def test_a_job_that_comes_and_completes_in_an_open_transaction_is_waited_for(
    tenant: Tenant,
) -> None:
    def come_and_go() -> None:
        making.complete(ask(tenant, unique_for_seconds=3600).job)

    with meanwhile(come_and_go), connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '300ms'")
        try:
            with pytest.raises(Exception, match="lock timeout"):
                ask(tenant, unique_for_seconds=3600)
        finally:
            cursor.execute("SET lock_timeout = DEFAULT")

    assert not ask(tenant, unique_for_seconds=3600).created
    assert Job.objects.count() == 1


# --- replace --------------------------------------------------------------------------------


@pytest.mark.parametrize("situation", ["ready", "sent", "scheduled", "blocked"])
def test_a_waiting_holder_takes_the_newer_wish_and_keeps_its_place(
    situation: str, tenant: Tenant
) -> None:
    wanted: dict[str, Any] = {"depends_on": [DependsOn(job_id=making.queued(tenant).pk)]}
    wanted = {"scheduled": {"delay_seconds": 60}, "blocked": wanted}.get(situation, {})
    first = ask(tenant, {"n": 1}, **wanted).job
    sent = making.send(first) if situation == "sent" else None
    before = making.fresh(first)

    second = ask(
        tenant, {"n": 2}, on_duplicate="replace", priority="high", labels={"a": "b"}, max_retries=7
    )

    after = making.fresh(first)
    assert (second.created, second.replaced, second.job) == (False, True, after)
    assert (after.payload, after.labels, after.max_retries) == ({"n": 2}, {"a": "b"}, 7)
    assert (after.priority, after.base_priority) == (75, 75)
    assert (after.seq, after.created_at, after.run) == (before.seq, before.created_at, 1)
    assert after.status == ("blocked" if situation == "blocked" else "queued")
    assert (after.fence, after.dispatched_at) == (before.fence + 1, None)
    assert sent is None or making.take(sent) is None


def test_a_running_holder_is_left_alone(tenant: Tenant) -> None:
    first = ask(tenant, {"n": 1}).job
    held = making.start(first)

    second = ask(tenant, {"n": 2}, on_duplicate="replace")

    assert (second.created, second.replaced, second.job.payload) == (False, False, {"n": 1})
    lifecycle.complete(held, result=None)


def test_a_holder_that_waits_for_a_retry_begins_anew(tenant: Tenant) -> None:
    first = ask(tenant, {"n": 1}).job
    lifecycle.retry_later(making.start(first), delay_seconds=600, error=making.ERROR)

    after = ask(tenant, {"n": 2}, on_duplicate="replace").job

    assert (after.status, after.retry_count, after.error) == (Status.QUEUED, 0, None)
    assert after.attempt == 1


def test_another_owners_job_is_not_replaced(tenant: Tenant) -> None:
    first = ask(tenant, {"n": 1}, owner="ann").job

    second = ask(tenant, {"n": 2}, owner="bob", on_duplicate="replace")

    assert (second.replaced, making.fresh(first).payload) == (False, {"n": 1})


def test_a_replaced_job_starts_when_the_newer_request_says(tenant: Tenant) -> None:
    first = ask(tenant, {"n": 1}).job
    at = timezone.now() + timedelta(hours=1)

    after = ask(tenant, {"n": 2}, on_duplicate="replace", run_at=at).job

    assert (after.status, after.run_at, after.visible_at) == (Status.SCHEDULED, at, at)
    assert after.pk == first.pk
    assert ask(tenant, on_duplicate="replace").job.status == Status.QUEUED


@pytest.mark.django_db(transaction=True)
def test_a_claim_and_a_replacement_at_the_same_moment_leave_one_wish(tenant: Tenant) -> None:
    for n in range(10):
        job = enqueue(tenant, ECHO, {"n": 1}, JobOptions(unique_key=f"k{n}")).job
        sent = making.send(job)
        claimed, asked = together(
            lambda sent=sent: making.take(sent),  # type: ignore[misc]  # bound at once
            lambda n=n: enqueue(  # type: ignore[misc]
                tenant, ECHO, {"n": 2}, JobOptions(unique_key=f"k{n}", on_duplicate="replace")
            ),
        )
        assert isinstance(asked, Enqueued)
        assert (claimed is None) == asked.replaced
        assert making.fresh(job).payload == {"n": 2 if asked.replaced else 1}


def test_in_one_call_a_later_item_replaces_an_earlier_one(tenant: Tenant) -> None:
    items = [
        JobRequest(
            type_name=ECHO,
            payload={"n": n},
            options=JobOptions(unique_key="k", on_duplicate="replace"),
        )
        for n in range(3)
    ]

    outcomes = enqueue_many(tenant, items)

    assert [(one.created, one.replaced) for one in outcomes if isinstance(one, Enqueued)] == [
        (True, False), (False, True), (False, True),
    ]  # fmt: skip
    assert Job.objects.get().payload == {"n": 2}


# --- many in one call -----------------------------------------------------------------------


def items(*keys: str) -> list[JobRequest]:
    return [
        JobRequest(type_name=ECHO, payload={"n": n}, options=JobOptions(unique_key=key))
        for n, key in enumerate(keys)
    ]


def outcomes_of(tenant: Tenant, *keys: str) -> list[tuple[bool, Any]]:
    made = [one for one in enqueue_many(tenant, items(*keys)) if isinstance(one, Enqueued)]
    return [(one.created, making.fresh(one.job).payload.get("n")) for one in made]


def test_of_many_each_gets_its_job_or_the_holder_of_its_key(tenant: Tenant, other: Tenant) -> None:
    ask(tenant, {"n": "active"}, unique_key="a")
    making.complete(ask(tenant, {"n": "kept"}, unique_key="b", unique_for_seconds=3600).job)
    making.complete(ask(tenant, {"n": "done"}, unique_key="c").job)
    ask(other, unique_key="d")

    found = outcomes_of(tenant, "d", "a", "b", "d", "c")

    assert found == [(True, 0), (False, "active"), (False, "kept"), (False, 0), (True, 4)]


def test_many_keys_cost_as_many_statements_as_few(tenant: Tenant) -> None:
    counts = []
    for some in (5, 500):
        with CaptureQueriesContext(connection) as queries:
            assert len(outcomes_of_keys(tenant, some)) == some
        counts.append(len(queries))

    assert counts[0] == counts[1]


def outcomes_of_keys(tenant: Tenant, number: int) -> list[object]:
    return list(enqueue_many(tenant, items(*(f"{number}:{n}" for n in range(number)))))


@pytest.mark.django_db(transaction=True)
def test_calls_that_name_the_same_keys_at_once_share_the_jobs(tenant: Tenant) -> None:
    keys = [f"k{n}" for n in range(50)]

    made = together(
        lambda: outcomes_of(tenant, *keys),
        lambda: outcomes_of(tenant, *reversed(keys)),
        lambda: outcomes_of(tenant, *keys[25:]),
    )

    assert sum(created for outcome in made for created, _ in outcome) == 50
    assert Job.objects.count() == 50


# --- debounce -------------------------------------------------------------------------------


def test_each_request_puts_off_a_debounced_job_and_the_newest_payload_counts(
    tenant: Tenant,
) -> None:
    first = ask(tenant, {"n": 1}, debounce_seconds=60)
    assert first.created
    assert first.job.visible_at is not None
    making.let_pass(first.job, "visible_at")

    second = ask(tenant, {"n": 2}, debounce_seconds=60)

    assert (second.created, second.replaced) == (False, True)
    assert second.job.payload == {"n": 2}
    assert second.job.status == Status.SCHEDULED
    assert second.job.visible_at is not None
    assert second.job.visible_at >= first.job.visible_at


@pytest.mark.parametrize(("longest", "expected"), [(90, 90), (None, 600)])
def test_a_debounced_job_is_put_off_at_most_so_long_after_the_first_request(
    longest: float | None, expected: float, tenant: Tenant
) -> None:
    options: dict[str, Any] = {"debounce_seconds": 60, "debounce_max_seconds": longest}
    first = ask(tenant, **options).job
    early = timezone.now() - timedelta(seconds=expected - 30)
    Job.objects.filter(pk=first.pk).update(created_at=early)

    after = ask(tenant, **options).job

    assert after.visible_at == early + timedelta(seconds=expected)


def test_a_debounced_job_that_was_put_off_long_enough_is_ready(tenant: Tenant) -> None:
    first = ask(tenant, debounce_seconds=60).job
    early = timezone.now() - timedelta(hours=1)
    Job.objects.filter(pk=first.pk).update(created_at=early)

    after = ask(tenant, debounce_seconds=60).job
    lifecycle.promote(10)

    assert making.fresh(after).status == Status.QUEUED


# --- by the type ----------------------------------------------------------------------------


def test_a_types_key_needs_nothing_of_the_caller(crawl: JobType[..., Any], tenant: Tenant) -> None:
    python = crawl.enqueue(tenant=tenant, subreddit="python")
    rust = crawl.enqueue(tenant=tenant, subreddit="rust")

    assert crawl.enqueue(tenant=tenant, subreddit="python", depth=3) == python != rust
    assert (python.unique_key, python.limit_key) == ("python", "r:python")
    making.complete(python)
    assert crawl.enqueue(tenant=tenant, subreddit="python") == python
    assert crawl.enqueue(tenant=tenant, subreddit="python", unique_key="again") != python


def test_a_key_is_never_cut_to_fit(crawl: JobType[..., Any], tenant: Tenant) -> None:
    with pytest.raises(InvalidPayload, match="too long"):
        crawl.enqueue(tenant=tenant, subreddit="x" * 300)


def test_keys_follow_the_payload_of_a_retry(crawl: JobType[..., Any], tenant: Tenant) -> None:
    job = crawl.enqueue(tenant=tenant, subreddit="python")
    lifecycle.cancel(job.pk, by="user:eve")

    after = retry(job, EVE, payload={"subreddit": "rust"})

    assert (after.unique_key, after.limit_key) == ("rust", "r:rust")


def test_a_retry_into_a_taken_key_is_refused(crawl: JobType[..., Any], tenant: Tenant) -> None:
    job = crawl.enqueue(tenant=tenant, subreddit="python")
    lifecycle.cancel(job.pk, by="user:eve")
    crawl.enqueue(tenant=tenant, subreddit="rust")

    with pytest.raises(UniqueKeyTaken):
        retry(job, EVE, payload={"subreddit": "rust"})
    assert making.fresh(job).unique_key == "python"


def test_a_key_that_a_request_named_stays_with_another_payload(
    crawl: JobType[..., Any], tenant: Tenant
) -> None:
    job = crawl.enqueue(tenant=tenant, subreddit="python", unique_key="mine")
    lifecycle.cancel(job.pk, by="user:eve")

    after = retry(job, EVE, payload={"subreddit": "rust"})

    assert (after.unique_key, after.limit_key) == ("mine", "r:rust")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"unique_key": "{town}"}, "unique_key names no parameter: town"),
        ({"unique_key": "{place"}, "unique_key is no template"),
        ({"unique_key": "{place}", "unique_for": 0}, "unique_for is above 0"),
    ],
)
def test_a_mistaken_key_is_refused_where_it_is_declared(
    options: dict[str, Any], says: str, declaring: None
) -> None:
    with pytest.raises(DeclarationError, match=says):

        @job_type("places.visit", **options)
        def visit(context: JobContext, *, place: str) -> None: ...


# --- rules ----------------------------------------------------------------------------------

SOON = timezone.now() + timedelta(days=365)


@pytest.mark.parametrize(
    ("options", "pointer"),
    [
        ({"unique_key": "", "unique_for_seconds": 5}, "/unique_for_seconds"),
        ({"unique_key": "", "debounce_seconds": 5}, "/debounce_seconds"),
        ({"unique_key": "", "on_duplicate": "replace"}, "/on_duplicate"),
        ({"on_duplicate": "discard"}, "/on_duplicate"),
        ({"unique_for_seconds": 0}, "/unique_for_seconds"),
        ({"unique_for_seconds": float("nan")}, "/unique_for_seconds"),
        ({"unique_for_seconds": 1e300}, "/unique_for_seconds"),
        ({"debounce_seconds": -1}, "/debounce_seconds"),
        ({"debounce_seconds": 1e300}, "/debounce_seconds"),
        ({"debounce_seconds": 5, "delay_seconds": 5}, "/debounce_seconds"),
        ({"debounce_seconds": 5, "run_at": SOON}, "/debounce_seconds"),
        ({"debounce_seconds": 5, "debounce_max_seconds": 4}, "/debounce_max_seconds"),
        ({"debounce_max_seconds": 4}, "/debounce_max_seconds"),
    ],
)
def test_options_that_make_no_sense_are_pointed_to(
    options: dict[str, Any], pointer: str, tenant: Tenant
) -> None:
    with pytest.raises(InvalidOptions) as refusal:
        ask(tenant, **options)
    assert [error.pointer for error in refusal.value.errors] == [pointer]


def test_what_waits_for_others_replaces_nothing(tenant: Tenant) -> None:
    first = making.queued(tenant)
    with pytest.raises(InvalidOptions, match="/depends_on"):
        ask(tenant, on_duplicate="replace", depends_on=[DependsOn(job_id=first.pk)])
