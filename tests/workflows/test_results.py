"""Results on their way from step to step, through the code that runs attempts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from accounts.models import Tenant
from jobs import JobContext, Secret, job_type, registry
from jobs.enqueue import enqueue
from jobs.models import Attempt, Job
from jobs.options import DependsOn, JobOptions
from jobs.testing import drain
from jobs.workflows import Step, chain, hand_in, result
from tests.jobs.kinds import ECHO
from tests.workflows.making import anyway, echo, fail

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def adding(declaring: None) -> str:
    @job_type("testing.adding", max_retries=3, retry_backoff="none")
    def adding(context: JobContext, *, numbers: list[int], more: int = 0) -> dict[str, int]:
        return {"sum": sum(numbers) + more}

    return adding.name


def ended(step: str) -> tuple[str, Any]:
    """The status and the result, or what kind of error."""
    job = Job.objects.get(step=step)
    return job.status, job.result if job.error is None else job.error["type"]


def test_results_are_handed_on_from_step_to_step(adding: str, tenant: Tenant) -> None:
    hand_in(
        tenant,
        "",
        chain(
            {
                "numbers": echo(values=[1, 2, 3]),
                "add": Step(type_name=adding, payload={"numbers": result("numbers.values")}),
                "again": Step(
                    type_name=adding,
                    payload={
                        "numbers": [result("numbers.values.0"), 10, result("add.sum")],
                        "more": 5,
                    },
                ),
                "whole": echo(of=result("add"), deep={"a": [result("again.sum")]}),
            }
        ),
    )
    drain()
    assert ended("again") == ("completed", {"sum": 22})
    assert ended("whole") == ("completed", {"of": {"sum": 6}, "deep": {"a": [22]}})
    assert Job.objects.get(step="add").payload == {"numbers": result("numbers.values")}


def test_a_result_that_is_not_there_fails_the_step_without_a_retry(
    adding: str, tenant: Tenant
) -> None:
    payload = {"numbers": result("a.nothing")}
    hand_in(tenant, "", {"a": echo(), "b": Step(type_name=adding, payload=payload, after=["a"])})
    drain(skip_waits=True)
    assert ended("b") == ("failed", "result_missing")
    assert Attempt.objects.get(job__step="b").outcome == "failed"


def test_a_step_that_failed_has_no_result(tenant: Tenant) -> None:
    made = hand_in(tenant, "", {"a": echo(), "b": echo(anyway("a"), x=result("a"))})
    fail(made, "a")
    drain()
    assert ended("b") == ("failed", "result_missing")


def test_a_result_that_is_null_is_a_result(adding: str, tenant: Tenant) -> None:
    hand_in(tenant, "", chain({"a": echo(x=None), "b": echo(y=result("a.x"))}))
    drain()
    assert ended("b") == ("completed", {"y": None})


def test_a_result_that_does_not_fit_the_type_fails_the_step(adding: str, tenant: Tenant) -> None:
    payload = {"numbers": result("a.text")}
    steps = {"a": echo(text="x"), "b": Step(type_name=adding, payload=payload)}
    hand_in(tenant, "", chain(steps))
    drain(skip_waits=True)
    assert ended("b") == ("failed", "payload_invalid")


def test_too_large_results_fail_the_step(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.step_results.MAX_BYTES", 100)
    hand_in(tenant, "", chain({"a": echo(x="y" * 200), "b": echo(x=result("a.x"))}))
    drain()
    assert ended("b") == ("failed", "payload_invalid")


def test_what_became_a_secret_since_takes_no_result(declaring: None, tenant: Tenant) -> None:
    @job_type("testing.turned")
    def before(context: JobContext, *, token: str) -> str:
        return token

    steps = {
        "a": echo(token="t"),
        "b": Step(type_name=before.name, payload={"token": result("a.token")}),
    }
    hand_in(tenant, "", chain(steps))

    registry.forget(before.name)

    @job_type("testing.turned")
    def after(context: JobContext, *, token: Secret[str]) -> str:
        return token.reveal()

    drain()
    assert ended("b") == ("failed", "payload_invalid")


def test_outside_of_a_workflow_it_is_an_object_like_any_other(tenant: Tenant) -> None:
    enqueue(tenant, ECHO, {"x": result("a.b")})
    drain()
    assert Job.objects.get().result == {"x": result("a.b")}


def test_steps_of_another_workflow_with_the_same_names_are_not_mixed_up(tenant: Tenant) -> None:
    """Not even where the step waits for such a one, and its own has no result."""
    others = hand_in(tenant, "", {"a": echo(n="other")})
    drain()
    outside = JobOptions(depends_on=[DependsOn(job_id=others.jobs["a"].pk)])
    taking = replace(echo(anyway("a"), x=result("a.n")), options=outside)
    made = hand_in(tenant, "", {"a": echo(n="own"), "b": taking})
    fail(made, "a")
    drain()
    assert ended("b") == ("failed", "result_missing")
