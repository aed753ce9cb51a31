"""A workflow is retried from where it failed, and cancelled whole."""

from __future__ import annotations

import pytest

from accounts.models import AuditEntry, Tenant
from jobs import lifecycle
from jobs.dispatcher.upkeep import Settle
from jobs.enqueue import DependsOn
from jobs.exceptions import TransitionRefused
from jobs.models import Job
from jobs.options import JobOptions
from jobs.workflows import Step, behind, chain, hand_in
from jobs.workflows.acting import cancel, retry
from tests.jobs import making as jobs_making
from tests.jobs.kinds import ECHO
from tests.workflows.making import EVE, anyway, echo, fail, now, or_fail, succeed


def keyed(key: str, *after: str) -> Step:
    return Step(type_name=ECHO, options=JobOptions(unique_key=key), after=after)


def test_the_failed_step_runs_again_and_what_it_ended_waits_for_it_again(tenant: Tenant) -> None:
    made = hand_in(
        tenant,
        "",
        {
            "first": echo(),
            "middle": echo("first"),
            "next": echo("middle", or_fail("first")),
            "failed": echo(or_fail("next")),
            "tidy": echo(anyway("middle")),
        },
    )
    succeed(made, "first")
    fail(made, "middle")
    succeed(made, "tidy")
    done = retry(made.workflow, EVE)
    assert (done.changed, done.refused) == (3, {})
    assert now(made) == {
        "first": "completed", "middle": "queued", "next": "blocked", "failed": "blocked",
        "tidy": "completed",
    }  # fmt: skip
    revived = Job.objects.get(step="failed")
    assert (revived.run, revived.error, revived.completed_at) == (2, None, None)
    Settle().run()
    assert now(made)["next"] == "blocked"
    succeed(made, "middle", "next", "failed")
    assert set(now(made).values()) == {"completed"}


def test_a_retry_may_fail_again_and_be_retried_again(tenant: Tenant) -> None:
    made = hand_in(tenant, "", chain({"a": echo(), "b": echo(), "c": echo()}))
    for _ in range(3):
        fail(made, "a")
        assert now(made) == {"a": "failed", "b": "cancelled", "c": "cancelled"}
        retry(made.workflow, EVE)
        assert now(made) == {"a": "queued", "b": "blocked", "c": "blocked"}
    assert Job.objects.get(step="c").run == 4


def test_a_step_waits_again_also_for_one_that_has_not_ended_yet(tenant: Tenant) -> None:
    made = hand_in(tenant, "", {"a": echo(), "b": echo(), "c": echo("a", "b")})
    fail(made, "a")
    assert now(made) == {"a": "failed", "b": "queued", "c": "cancelled"}
    retry(made.workflow, EVE)
    succeed(made, "a")
    assert now(made)["c"] == "blocked"
    succeed(made, "b")
    assert now(made)["c"] == "queued"


def test_a_step_whose_dependency_ended_meanwhile_is_opened_by_the_others(tenant: Tenant) -> None:
    made = hand_in(tenant, "", {"a": echo(), "b": echo(), "c": echo("a", "b")})
    fail(made, "a")
    succeed(made, "b")
    retry(made.workflow, EVE)
    succeed(made, "a")
    assert now(made)["c"] == "queued"


def test_a_step_whose_unique_key_is_taken_stays_with_all_that_would_wait_for_it(
    tenant: Tenant,
) -> None:
    made = hand_in(
        tenant,
        "",
        {"a": keyed("one"), "b": echo("a"), "tidy": echo(anyway("a"), "other"), "other": echo()},
    )
    fail(made, "a", "other")
    holder = jobs_making.queued(tenant, unique_key="one")
    done = retry(made.workflow, EVE)
    assert set(done.refused) == {"a", "b"}
    assert "unique key" in done.refused["a"]
    assert now(made) == {"a": "failed", "b": "cancelled", "tidy": "blocked", "other": "queued"}
    succeed(made, "other")
    assert now(made)["tidy"] == "queued"
    lifecycle.cancel(holder.pk, by="user:eve")
    assert retry(made.workflow, EVE).refused == {}
    assert (now(made)["a"], now(made)["b"]) == ("queued", "blocked")


def test_a_step_that_waits_for_a_job_outside_stays_until_that_one_runs_again(
    tenant: Tenant,
) -> None:
    outside = jobs_making.queued(tenant)
    first = Step(type_name=ECHO, options=JobOptions(depends_on=[DependsOn(job_id=outside.pk)]))
    made = hand_in(tenant, "", {"a": first, "b": echo("a"), "tidy": echo(anyway("b"))})
    lifecycle.fail(jobs_making.start(outside), error=jobs_making.ERROR)
    assert now(made) == {"a": "cancelled", "b": "cancelled", "tidy": "queued"}
    with pytest.raises(TransitionRefused, match="outside of the workflow"):
        retry(made.workflow, EVE)
    fail(made, "tidy")
    done = retry(made.workflow, EVE)
    assert (done.changed, set(done.refused)) == (1, {"a", "b"})
    assert now(made) == {"a": "cancelled", "b": "cancelled", "tidy": "queued"}
    lifecycle.revive(outside.pk)
    assert retry(made.workflow, EVE).refused == {}
    assert now(made) == {"a": "blocked", "b": "blocked", "tidy": "queued"}
    jobs_making.complete(jobs_making.fresh(outside))
    assert now(made)["a"] == "queued"


def test_a_step_is_retried_by_itself_only_when_those_before_it_are_through(
    tenant: Tenant,
) -> None:
    made = hand_in(tenant, "", {"a": echo(), "b": echo("a"), "tidy": echo(anyway("a"))})
    fail(made, "a", "tidy")
    lifecycle.revive(made.jobs["tidy"].pk)
    with pytest.raises(TransitionRefused, match="Retry the workflow"):
        lifecycle.revive(made.jobs["b"].pk)
    lifecycle.revive(made.jobs["a"].pk)
    with pytest.raises(TransitionRefused, match="Retry the workflow"):
        lifecycle.revive(made.jobs["b"].pk)
    succeed(made, "a")
    lifecycle.revive(made.jobs["b"].pk)
    assert now(made) == {"a": "completed", "b": "queued", "tidy": "queued"}


def test_nothing_to_retry_or_to_cancel_is_refused_and_leaves_no_line(tenant: Tenant) -> None:
    made = hand_in(tenant, "", {"a": keyed("one")})
    with pytest.raises(TransitionRefused):
        retry(made.workflow, EVE)
    fail(made, "a")
    with pytest.raises(TransitionRefused):
        cancel(made.workflow, EVE)
    jobs_making.queued(tenant, unique_key="one")
    with pytest.raises(TransitionRefused, match="unique key"):
        retry(made.workflow, EVE)
    assert not AuditEntry.objects.filter(object_type="workflow").exists()


def test_the_whole_is_cancelled_and_what_runs_is_asked_to_end(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.workflows.acting.CHUNK", 3)
    parts = behind({f"p{n}": echo() for n in range(5)}, "a")
    made = hand_in(tenant, "", {"a": echo(), "b": echo(), **parts})
    succeed(made, "b")
    held = jobs_making.start(made.jobs["a"])
    assert cancel(made.workflow, EVE) == 6
    assert now(made) == {"a": "processing", "b": "completed", **dict.fromkeys(parts, "cancelled")}
    assert set(Job.objects.filter(step__in=parts).values_list("cancelled_by", flat=True)) == {
        EVE.name
    }
    lifecycle.complete(held, result="too late")
    assert now(made)["a"] == "cancelled"
    entries = AuditEntry.objects.filter(action="workflow.cancel").order_by("pk")
    assert [(entry.after or {})["steps"] for entry in entries] == [3, 3]


def test_no_step_is_cancelled_because_of_another_that_is_cancelled_with_it(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.workflows.acting.CHUNK", 1)
    made = hand_in(tenant, "", chain({"a": echo(), "b": echo(), "c": echo()}))
    assert cancel(made.workflow, EVE) == 3
    assert set(Job.objects.values_list("cancelled_by", flat=True)) == {EVE.name}
