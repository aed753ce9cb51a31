"""The one way in: a row for each accepted job, nothing for a refused one."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from accounts.models import Tenant
from jobs import JobContext, job_type, lifecycle
from jobs.enqueue import DependsOn, Enqueued, JobOptions, JobRequest, enqueue, enqueue_many
from jobs.exceptions import (
    InvalidOptions,
    InvalidPayload,
    JobsError,
    PayloadTooLarge,
    UnknownJobType,
    UnknownQueue,
    UnknownTenant,
)
from jobs.message import FencedJob
from jobs.models import Dependency, Job, OnFailure
from jobs.states import Status
from tests.jobs import making
from tests.jobs.kinds import ECHO


def request(payload: dict[str, Any] | None = None, **options: Any) -> JobRequest:
    return JobRequest(type_name=ECHO, payload=payload or {}, options=JobOptions(**options))


def after(job: Job | FencedJob, on_failure: OnFailure = OnFailure.CANCEL) -> DependsOn:
    job_id = job.pk if isinstance(job, Job) else job.id
    return DependsOn(job_id=job_id, on_failure=on_failure)


def test_an_accepted_job_is_known_with_what_the_database_gave_it(tenant: Tenant) -> None:
    made = enqueue(tenant, ECHO, {"page": 1})

    row = Job.objects.get(pk=made.job.pk)
    assert made.created
    assert (made.job.seq, made.job.created_at) == (row.seq, row.created_at)
    assert (row.type, row.payload, row.status) == (ECHO, {"page": 1}, Status.QUEUED)
    assert row.tenant == tenant


def test_jobs_are_numbered_in_the_order_of_their_acceptance(tenant: Tenant) -> None:
    jobs = [making.queued(tenant) for _ in range(3)]
    many = enqueue_many(tenant, [request({"n": n}) for n in range(3)])
    numbers = [job.seq for job in jobs] + [made_of(outcome).seq for outcome in many]

    assert numbers == sorted(numbers)
    assert len({made_of(outcome).pk for outcome in many}) == 3


def made_of(outcome: Enqueued | JobsError) -> Job:
    assert isinstance(outcome, Enqueued)
    return outcome.job


def test_an_unknown_type_is_refused(tenant: Tenant) -> None:
    with pytest.raises(UnknownJobType, match=r"no\.such\.type"):
        enqueue(tenant, "no.such.type", {})
    assert not Job.objects.exists()


@pytest.mark.parametrize("undo", [RuntimeError, KeyboardInterrupt])
def test_a_rollback_leaves_nothing_behind(undo: type[BaseException], tenant: Tenant) -> None:
    first = making.queued(tenant)

    @transaction.atomic
    def hand_in_and_fail() -> None:
        making.queued(tenant, unique_key="k")
        making.blocked(tenant, first)
        raise undo

    with pytest.raises(undo):
        hand_in_and_fail()

    assert list(Job.objects.all()) == [first]
    assert not Dependency.objects.exists()


def test_the_holder_of_a_unique_key_is_given_back_while_it_is_active(tenant: Tenant) -> None:
    asked = JobOptions(unique_key="r/python")
    first = enqueue(tenant, ECHO, {"n": 1}, asked)

    second = enqueue(tenant, ECHO, {"n": 2}, asked)

    assert (first.created, second.created) == (True, False)
    assert second.job == first.job
    assert second.job.payload == {"n": 1}
    making.complete(first.job)
    assert enqueue(tenant, ECHO, {"n": 3}, asked).created


def test_a_unique_key_belongs_to_a_tenant_and_a_type(tenant: Tenant, other: Tenant) -> None:
    asked = JobOptions(unique_key="k")
    kinds = [ECHO, "diagnostics.sleep"]

    made = [enqueue(who, kind, {}, asked) for who in (tenant, other) for kind in kinds]

    assert all(each.created for each in made)


def test_a_second_request_with_a_taken_key_is_checked_all_the_same(tenant: Tenant) -> None:
    making.queued(tenant, unique_key="k")

    with pytest.raises(InvalidOptions):
        making.queued(tenant, unique_key="k", max_retries=-1)


# --- dependencies -------------------------------------------------------------------------


def test_a_dependant_is_blocked_behind_its_dependencies(tenant: Tenant) -> None:
    first, second = making.queued(tenant), making.queued(tenant)

    job = making.queued(tenant, depends_on=[after(first), after(second, OnFailure.RUN)])

    edges = Dependency.objects.filter(job=job).values_list("depends_on", "on_failure", "settled_at")
    assert job.status == Status.BLOCKED
    assert set(edges) == {(first.pk, "cancel", None), (second.pk, "run", None)}


@pytest.mark.parametrize(
    ("on_failure", "expected"),
    [
        (OnFailure.CANCEL, Status.CANCELLED),
        (OnFailure.FAIL, Status.FAILED),
        (OnFailure.RUN, Status.QUEUED),
    ],
)
def test_a_job_behind_one_that_failed_before_follows_its_edge_at_once(
    on_failure: OnFailure, expected: Status, tenant: Tenant
) -> None:
    first = making.in_situation(tenant, "failed")

    assert making.queued(tenant, depends_on=[after(first, on_failure)]).status == expected


def test_a_job_behind_one_that_completed_before_is_ready_at_once(tenant: Tenant) -> None:
    done, open_ = making.complete(making.queued(tenant)), making.queued(tenant)

    assert making.queued(tenant, depends_on=[after(done)]).status == Status.QUEUED
    both = making.queued(tenant, depends_on=[after(done), after(open_)])
    assert both.status == Status.BLOCKED
    making.complete(open_)
    assert making.fresh(both).status == Status.QUEUED


def test_a_dependency_named_twice_is_one(tenant: Tenant) -> None:
    first = making.queued(tenant)

    job = making.queued(tenant, depends_on=[after(first), after(first, OnFailure.RUN)])

    assert Dependency.objects.get(job=job).on_failure == "run"


@pytest.mark.parametrize("whose", ["nobody's", "another tenant's"])
@pytest.mark.parametrize("unique_key", ["", "k"])
def test_a_dependency_that_the_tenant_does_not_have_is_refused(
    whose: str, unique_key: str, tenant: Tenant, other: Tenant
) -> None:
    missing = making.stranger() if whose == "nobody's" else making.queued(other)
    mine = making.queued(tenant)
    before = Job.objects.count()

    with pytest.raises(InvalidOptions, match="/depends_on: not found") as refusal:
        making.queued(tenant, depends_on=[after(mine), after(missing)], unique_key=unique_key)

    (job_id,) = (edge.job_id for edge in [after(missing)])
    assert str(job_id) in str(refusal.value)
    assert str(mine.pk) not in str(refusal.value)
    assert Job.objects.count() == before


# --- many at once -------------------------------------------------------------------------


def test_each_item_of_a_batch_has_its_outcome_in_its_place(tenant: Tenant, other: Tenant) -> None:
    foreign = making.queued(other)
    outcomes = enqueue_many(
        tenant,
        [
            request({"n": 0}),
            JobRequest(type_name="no.such.type", payload={}),
            request({"n": 2}, unique_key="k"),
            request({"bad": "\x00"}),
            request({"n": 4}, unique_key="k"),
            request({"n": 5}, max_retries=101),
            request({"n": 6}, queue="no-such-queue"),
            request({"n": 7}, depends_on=[after(foreign)]),
            request({"n": 8}, depends_on=[after(foreign)], unique_key="other"),
            request({"big": "x" * 300_000}),
            request({"n": 10}),
        ],
    )

    refusals = {
        1: UnknownJobType, 3: InvalidPayload, 5: InvalidOptions, 6: UnknownQueue,
        7: InvalidOptions, 8: InvalidOptions, 9: PayloadTooLarge,
    }  # fmt: skip
    assert {n: type(o) for n, o in enumerate(outcomes) if isinstance(o, JobsError)} == refusals
    assert [made_of(outcomes[n]).payload["n"] for n in (0, 2, 10)] == [0, 2, 10]
    assert made_of(outcomes[4]) == made_of(outcomes[2])
    created = [o.created for o in outcomes if isinstance(o, Enqueued)]
    assert created == [True, True, False, True]
    assert Job.objects.filter(tenant=tenant).count() == 3


def test_a_batch_may_wait_for_jobs_that_were_there_before(tenant: Tenant) -> None:
    first = making.queued(tenant)

    outcomes = enqueue_many(tenant, [request(depends_on=[after(first)]) for _ in range(3)])
    making.complete(first)

    assert {making.fresh(made_of(o)).status for o in outcomes} == {Status.QUEUED}


def test_an_empty_batch_makes_nothing(tenant: Tenant) -> None:
    assert enqueue_many(tenant, []) == []


def test_a_batch_finds_the_holder_of_a_key_from_before(tenant: Tenant) -> None:
    holder = making.queued(tenant, unique_key="k")

    (outcome,) = enqueue_many(tenant, [request(unique_key="k")])

    assert (made_of(outcome), outcome.created) == (holder, False)  # type: ignore[union-attr]  # checked before


# --- by the type ---------------------------------------------------------------------------


@pytest.mark.usefixtures("declaring")
def test_a_type_hands_in_with_parameters_and_options_in_one_list(tenant: Tenant) -> None:
    @job_type("reports.render")
    def render(context: JobContext, *, report_id: int, owner: str = "") -> None: ...

    job = render.enqueue(tenant="acme", priority="high", report_id=7, owner="a parameter here")

    assert (job.priority, job.owner) == (75, "")
    assert job.payload == {"report_id": 7, "owner": "a parameter here"}


@pytest.mark.usefixtures("declaring")
def test_options_in_a_value_reach_what_a_parameter_hides(tenant: Tenant) -> None:
    @job_type("reports.render")
    def render(context: JobContext, *, owner: str) -> None: ...

    job = render.with_options(JobOptions(owner="ann"), tenant=tenant, owner="a parameter")

    assert (job.owner, job.payload) == ("ann", {"owner": "a parameter"})


def test_a_tenant_that_does_not_exist_is_an_error(tenant: Tenant) -> None:
    from workloads.diagnostics.job_types import echo

    with pytest.raises(UnknownTenant, match="no tenant 'nobody'"):
        echo.enqueue(tenant="nobody")


def test_the_dispatcher_is_told_after_the_commit_alone(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    told: list[str] = []
    monkeypatch.setattr("jobs.nudge.work_waits", lambda priority: told.append("work"))

    with django_capture_on_commit_callbacks(execute=True):
        making.queued(tenant)
        making.scheduled(tenant)
        assert told == []

    assert told == ["work"]


def test_a_listener_that_fails_undoes_the_change(tenant: Tenant) -> None:
    from jobs.signals import job_moved

    def refuse(**_: Any) -> None:
        raise RuntimeError("cannot record it")

    job = making.queued(tenant)
    job_moved.connect(refuse, sender=Job)
    try:
        with pytest.raises(RuntimeError, match="cannot record"):
            lifecycle.cancel(job.pk, by="user:eve")
    finally:
        job_moved.disconnect(refuse, sender=Job)

    assert making.fresh(job).status == Status.QUEUED
