"""Many jobs in one call cost few locks and few statements; what would cost many is refused."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Tenant
from jobs import enqueue as entry
from jobs.enqueue import DependsOn, Enqueued, JobOptions, JobRequest, enqueue, enqueue_many
from jobs.exceptions import InvalidOptions, InvalidWorkflow, JobsError
from jobs.models import Dependency, Job
from jobs.states import Status
from jobs.workflows import Step, graph, hand_in
from tests.jobs import making
from tests.jobs.kinds import ECHO

MANY = 300


def asked(number: int = MANY, **options: object) -> list[JobRequest]:
    """Each with a key of its own."""
    return [
        JobRequest(
            type_name=ECHO,
            payload={},
            options=JobOptions(unique_key=f"key {index}", **options),  # type: ignore[arg-type]  # any option
        )
        for index in range(number)
    ]


def created(outcomes: Sequence[Enqueued | JobsError]) -> list[bool]:
    return [isinstance(one, Enqueued) and one.created for one in outcomes]


def test_keys_for_a_time_take_bounded_locks_and_few_statements(tenant: Tenant) -> None:
    enqueue_many(tenant, asked(2, unique_for_seconds=60))
    with transaction.atomic(), CaptureQueriesContext(connection) as captured:
        outcomes = enqueue_many(tenant, asked(unique_for_seconds=60))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid ="
                " pg_backend_pid()"
            )
            (locks,) = cursor.fetchone()
    assert created(outcomes) == [False] * 2 + [True] * (MANY - 2)
    assert locks <= 64
    assert len(captured) < 20


def test_a_step_with_a_key_for_a_time_is_locked_and_looked_up_with_the_others(
    tenant: Tenant,
) -> None:
    options = [request.options for request in asked(MANY, unique_for_seconds=60)]
    steps = {f"s{n}": Step(type_name=ECHO, options=one) for n, one in enumerate(options)}
    with CaptureQueriesContext(connection) as captured:
        hand_in(tenant, "", steps)
    assert len(captured) < 20


def test_of_keys_that_completed_jobs_hold_none_is_made_again(tenant: Tenant) -> None:
    first = enqueue_many(tenant, asked(3, unique_for_seconds=60))
    assert isinstance(first[1], Enqueued)
    making.complete(making.fresh(first[1].job))
    again = enqueue_many(tenant, asked(4, unique_for_seconds=60))
    assert created(again) == [False, False, False, True]


def test_where_the_quota_ends_the_others_are_refused_and_those_before_are_in(
    tenant: Tenant,
) -> None:
    tenant.max_queued = 3
    outcomes = enqueue_many(tenant, asked(5))
    assert created(outcomes) == [True] * 3 + [False] * 2
    assert all(isinstance(one, JobsError) for one in outcomes[3:])


def test_one_that_replaces_keeps_its_place_among_those_that_do_not(tenant: Tenant) -> None:
    def one(payload: int, **options: object) -> JobRequest:
        given = JobOptions(unique_key="k", **options)  # type: ignore[arg-type]  # any option
        return JobRequest(type_name=ECHO, payload={"n": payload}, options=given)

    outcomes = enqueue_many(tenant, [one(1), one(2, on_duplicate="replace"), one(3)])
    assert created(outcomes) == [True, False, False]
    assert Job.objects.get().payload == {"n": 2}


def test_more_than_so_many_that_replace_are_refused_and_nothing_was_written(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry, "MOST_REPLACING", 2)
    assert len(enqueue_many(tenant, asked(2, on_duplicate="replace"))) == 2
    with pytest.raises(InvalidOptions, match="/on_duplicate"):
        enqueue_many(tenant, asked(3, on_duplicate="replace"))
    with pytest.raises(InvalidOptions, match="/on_duplicate"):
        enqueue_many(tenant, asked(3, debounce_seconds=60.0))
    assert Job.objects.count() == 2


def test_edges_of_many_jobs_are_looked_up_written_and_settled_at_once(tenant: Tenant) -> None:
    others = [making.queued(tenant), making.complete(making.queued(tenant))]
    edges = [DependsOn(job_id=one.pk) for one in others]
    plain = JobRequest(type_name=ECHO, payload={}, options=JobOptions(depends_on=edges))
    free = JobRequest(type_name=ECHO, payload={}, options=JobOptions(depends_on=edges[1:]))
    with CaptureQueriesContext(connection) as captured:
        outcomes = enqueue_many(tenant, [plain] * 50 + [free] * 50)
    assert len(captured) < 25
    jobs = [one.job.pk for one in outcomes if isinstance(one, Enqueued)]
    assert Dependency.objects.count() == 150
    assert Job.objects.filter(pk__in=jobs[:50], status=Status.BLOCKED).count() == 50
    assert Job.objects.filter(pk__in=jobs[50:], status=Status.QUEUED).count() == 50


def test_an_unknown_dependency_refuses_its_own_job_alone(tenant: Tenant) -> None:
    good = DependsOn(job_id=making.queued(tenant).pk)
    requests = [
        JobRequest(type_name=ECHO, payload={}, options=JobOptions(depends_on=[edge]))
        for edge in (good, DependsOn(job_id=uuid4()))
    ]
    assert created(enqueue_many(tenant, requests)) == [True, False]


def test_more_edges_than_a_call_may_have_are_refused(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry, "MOST_EDGES", 3)
    monkeypatch.setattr(graph, "MOST_EDGES", 3)
    options = JobOptions(depends_on=[DependsOn(job_id=making.queued(tenant).pk)])
    request = JobRequest(type_name=ECHO, payload={}, options=options)
    with pytest.raises(InvalidOptions, match="/depends_on"):
        enqueue_many(tenant, [request] * 4)
    step = Step(type_name=ECHO, options=options)
    with pytest.raises(InvalidWorkflow, match="/steps"):
        hand_in(tenant, "", dict.fromkeys("abcd", step))
    assert Job.objects.count() == 1


def test_a_newer_request_does_not_rewrite_a_step_of_a_workflow(tenant: Tenant) -> None:
    step = Step(type_name=ECHO, payload={"n": 1}, options=JobOptions(unique_key="k"))
    hand_in(tenant, "", {"a": step})
    made = enqueue(tenant, ECHO, {"n": 2}, JobOptions(unique_key="k", on_duplicate="replace"))
    assert (made.created, made.replaced) == (False, False)
    assert Job.objects.get().payload == {"n": 1}
