"""What becomes of a workflow whose steps complete, fail, are cancelled or expire."""

from __future__ import annotations

import threading
from functools import partial
from itertools import pairwise

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from accounts.models import Tenant
from jobs import lifecycle
from jobs.dispatcher.upkeep import Settle
from jobs.lifecycle import following, settling
from jobs.lifecycle.batches import Batches
from jobs.models import Dependency, Job
from jobs.signals import job_moved
from jobs.states import FINAL
from jobs.workflows import HandedIn, behind, chain, hand_in
from jobs.workflows.looking import WorkflowStatus, counts_of, status_of
from tests.jobs import making as jobs_making
from tests.support.buffers import undone
from tests.support.waiting import wait_for
from tests.workflows.making import anyway, echo, fail, now, or_fail, succeed


def status(made: HandedIn) -> WorkflowStatus:
    return status_of(counts_of([made.workflow])[made.workflow.pk])


def waits_for_the_ended() -> bool:
    return Dependency.objects.filter(settled_at=None, depends_on__status__in=FINAL).exists()


def test_a_diamond_is_worked_through_and_completes(tenant: Tenant) -> None:
    made = hand_in(tenant, "", {"a": echo(), "b": echo("a"), "c": echo("a"), "d": echo("b", "c")})
    succeed(made, "a")
    assert now(made) == {"a": "completed", "b": "queued", "c": "queued", "d": "blocked"}
    succeed(made, "b")
    assert (now(made)["d"], status(made)) == ("blocked", "running")
    succeed(made, "c", "d")
    assert status(made) == WorkflowStatus.COMPLETED


def test_a_failing_middle_step_ends_what_comes_after_it_as_each_edge_says(tenant: Tenant) -> None:
    made = hand_in(
        tenant,
        "",
        {
            "first": echo(),
            "middle": echo("first"),
            "cancelled": echo("middle"),
            "failed": echo(or_fail("middle")),
            "in-turn": echo("failed"),
            "tidy": echo(anyway("cancelled"), anyway("in-turn")),
            "beside": echo("first"),
        },
    )
    succeed(made, "first")
    fail(made, "middle")
    assert now(made) == {
        "first": "completed", "middle": "failed", "cancelled": "cancelled", "failed": "failed",
        "in-turn": "cancelled", "tidy": "queued", "beside": "queued",
    }  # fmt: skip
    assert Job.objects.get(step="cancelled").cancelled_by == "dependency"
    error = Job.objects.get(step="failed").error
    assert error is not None
    assert error["type"] == "dependency_failed"
    succeed(made, "tidy", "beside")
    assert status(made) == WorkflowStatus.FAILED
    assert not waits_for_the_ended()


def test_where_edges_disagree_a_step_fails(tenant: Tenant) -> None:
    made = hand_in(tenant, "", chain({"a": echo(), "b": echo()}) | {"c": echo("b", or_fail("a"))})
    fail(made, "a")
    assert now(made) == {"a": "failed", "b": "cancelled", "c": "failed"}


def test_a_cancelled_or_expired_step_ends_what_comes_after_it(tenant: Tenant) -> None:
    for end in ("cancel", "expire"):
        made = hand_in(tenant, "", chain({"a": echo(), "b": echo(), "c": echo()}))
        if end == "cancel":
            lifecycle.cancel(made.jobs["b"].pk, by="user:eve")
        else:
            jobs_making.let_pass(made.jobs["b"], "expires_at")
            lifecycle.expire(10)
        assert now(made) == {"a": "queued", "b": "cancelled", "c": "cancelled"}
        succeed(made, "a")
        assert status(made) == WorkflowStatus.CANCELLED


def test_a_step_that_somebody_took_out_of_its_wait_is_left_alone(tenant: Tenant) -> None:
    made = hand_in(tenant, "", chain({"a": echo(), "b": echo(), "c": echo()}))
    lifecycle.force_queue(made.jobs["b"].pk, error=jobs_making.ERROR)
    fail(made, "a")
    assert now(made) == {"a": "failed", "b": "queued", "c": "blocked"}
    succeed(made, "b")
    assert now(made)["c"] == "queued"


def test_a_dependant_that_cannot_be_moved_stops_only_what_comes_after_it(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver of the signal fails for one step of two chains."""
    chains = chain({"b": echo("a"), "c": echo()}) | chain({"x": echo("a"), "y": echo()})
    made = hand_in(tenant, "", {"a": echo(), **chains})
    refused = made.jobs["b"].pk

    def receive(*, moves: list[lifecycle.Move], **_: object) -> None:
        if refused in {moved.id for moved in moves}:
            raise RuntimeError("no")

    monkeypatch.setattr(settling, "_settlements", Batches("settle"))
    job_moved.connect(receive, sender=Job)
    try:
        fail(made, "a")
    finally:
        job_moved.disconnect(receive, sender=Job)
    assert now(made) == {
        "a": "failed", "b": "blocked", "c": "blocked", "x": "cancelled", "y": "cancelled"
    }  # fmt: skip
    monkeypatch.setattr(settling, "_settlements", Batches("settle"))
    Settle().run()
    assert set(now(made).values()) == {"failed", "cancelled"}


# --- many at once ------------------------------------------------------------------------------


def test_a_long_chain_ends_in_as_many_statements_as_a_short_one(tenant: Tenant) -> None:
    def statements(length: int) -> int:
        made = hand_in(tenant, "", chain({f"s{n}": echo() for n in range(length)}))
        held = jobs_making.start(made.jobs["s0"])
        with CaptureQueriesContext(connection) as captured:
            lifecycle.fail(held, error=jobs_making.ERROR)
        assert list(now(made).values()) == ["failed"] + ["cancelled"] * (length - 1)
        return len(captured)

    assert statements(300) == statements(3)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("on_failure", [False, True])
def test_many_dependants_are_settled_in_chunks_after_the_commit(
    on_failure: bool, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "CHUNK", 7)
    parts = behind({f"p{n}": echo() for n in range(40)}, "a")
    made = hand_in(tenant, "", {"a": echo(), **parts, "z": echo(*parts)})
    if on_failure:
        fail(made, "a")
        assert set(now(made).values()) == {"failed", "cancelled"}
    else:
        succeed(made, "a")
        expected = {"a": "completed", **dict.fromkeys(parts, "queued"), "z": "blocked"}
        assert now(made) == expected
    assert not waits_for_the_ended()


@pytest.mark.django_db(transaction=True)
def test_what_a_dead_process_left_unsettled_is_found_by_the_sweep(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "CHUNK", 7)
    monkeypatch.setattr(following, "_settle_rest", lambda rest: None)  # it dies after its commit
    parts = behind({f"p{n}": echo() for n in range(40)}, "a")
    made = hand_in(tenant, "", {"a": echo(), **parts})
    succeed(made, "a")
    assert list(now(made).values()).count("queued") == 7
    monkeypatch.undo()
    monkeypatch.setattr(settling, "CHUNK", 7)
    Settle().run()
    assert list(now(made).values()).count("queued") == 40


@pytest.mark.django_db(transaction=True)
def test_of_two_steps_that_complete_at_the_same_moment_the_second_opens_the_one_behind_them(
    tenant: Tenant,
) -> None:
    made = hand_in(tenant, "", {"a": echo(), "b": echo(), "z": echo("a", "b")})
    first, second = (jobs_making.start(made.jobs[name]) for name in ("a", "b"))

    def complete() -> None:
        lifecycle.complete(second, result=None)
        connection.close()

    other = threading.Thread(target=complete)
    with transaction.atomic():
        lifecycle.complete(first, result=None)
        other.start()
        wait_for(
            lambda: somebody_waits_for_a_lock() or not other.is_alive(),
            seconds=20, what="the second meets the first", every=0.01,
        )  # fmt: skip
    other.join()
    assert now(made)["z"] == "queued"
    assert Job.objects.get(step="z").fence == 1


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        row = cursor.fetchone()
    return bool(row and row[0])


def test_the_end_of_each_of_many_dependencies_costs_the_same(tenant: Tenant) -> None:
    parts = {f"p{n}": echo() for n in range(600)}
    made = hand_in(tenant, "", {**parts, **behind({"z": echo()}, *parts)})
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE jobs_job, jobs_dependency")
    costs = []
    names = list(parts)
    for before, name in pairwise([*names[::100], names[-1]]):
        held = jobs_making.start(made.jobs[before])
        costs.append(undone(partial(lifecycle.complete, held, result=1))[1])
        skipped = names[names.index(before) : names.index(name)]
        Dependency.objects.filter(depends_on__step__in=skipped).update(settled_at=Now())
    assert max(costs) < 2 * min(costs), costs
