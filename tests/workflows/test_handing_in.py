"""A workflow is handed in whole or not at all, with few statements."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import Tenant
from jobs import InputFile, JobContext, Secret, job_type
from jobs.exceptions import InvalidWorkflow, QuotaExceeded
from jobs.models import Dependency, FileUse, Job, Workflow
from jobs.options import DependsOn, JobOptions
from jobs.workflows import Step, behind, chain, hand_in, result
from tests.jobs import making as jobs_making
from tests.support.files import storage_at, stored
from tests.workflows.making import anyway, echo, now


def edges() -> set[tuple[str, str, str]]:
    rows = Dependency.objects.values_list("job__step", "depends_on__step", "on_failure")
    return set(rows)


def pointers(refused: pytest.ExceptionInfo[InvalidWorkflow]) -> list[str]:
    return [one.pointer for one in refused.value.errors]


def test_steps_without_an_edge_are_ready_and_the_others_blocked(tenant: Tenant) -> None:
    made = hand_in(
        tenant,
        "a report",
        {
            "fetch": echo(),
            "later": Step(type_name=echo().type_name, options=JobOptions(delay_seconds=60)),
            "parse": echo("fetch"),
            "tidy": echo("fetch", anyway("parse")),
        },
        owner="eve",
        created_by="user:eve",
    )
    assert now(made) == {
        "fetch": "queued", "later": "scheduled", "parse": "blocked", "tidy": "blocked"
    }  # fmt: skip
    assert edges() == {
        ("parse", "fetch", "cancel"), ("tidy", "fetch", "cancel"), ("tidy", "parse", "run")
    }  # fmt: skip
    job = made.jobs["parse"]
    assert (job.owner, job.created_by, job.workflow) == ("eve", "user:eve", made.workflow)


def test_chains_and_fans_are_built_from_the_same_steps(tenant: Tenant) -> None:
    parts = {"p": echo(), "q": echo()}
    fan = {"split": echo(), **behind(parts, "split"), **behind({"join": echo()}, *parts)}
    hand_in(tenant, "fan", fan)
    assert edges() == {
        ("p", "split", "cancel"), ("q", "split", "cancel"), ("join", "p", "cancel"),
        ("join", "q", "cancel"),
    }  # fmt: skip
    Dependency.objects.all().delete()
    hand_in(tenant, "chain", chain({"a": echo(), "b": echo(), "c": echo()}))
    assert edges() == {("b", "a", "cancel"), ("c", "b", "cancel")}


def test_a_step_waits_for_whatever_it_takes_a_result_from(tenant: Tenant) -> None:
    hand_in(tenant, "", chain({"a": echo(), "b": echo(x=result("a")), "c": echo(x=result("a.n"))}))
    assert edges() == {("b", "a", "cancel"), ("c", "b", "cancel"), ("c", "a", "run")}


def test_a_step_may_wait_for_a_job_outside_that_has_ended(tenant: Tenant) -> None:
    outside = jobs_making.complete(jobs_making.queued(tenant))
    options = JobOptions(depends_on=[DependsOn(job_id=outside.pk)])
    made = hand_in(tenant, "", {"a": Step(type_name=echo().type_name, options=options)})
    assert now(made) == {"a": "queued"}


def test_another_tenants_job_cannot_be_waited_for(tenant: Tenant, other: Tenant) -> None:
    options = JobOptions(depends_on=[DependsOn(job_id=jobs_making.queued(other).pk)])
    with pytest.raises(InvalidWorkflow) as refused:
        hand_in(tenant, "", {"a": Step(type_name=echo().type_name, options=options)})
    assert pointers(refused) == ["/steps/a/depends_on"]


@pytest.mark.parametrize("count", [10, 200])
def test_the_number_of_statements_does_not_grow_with_the_steps(count: int, tenant: Tenant) -> None:
    steps = {"a": echo()} | behind({f"p{n}": echo(x=result("a")) for n in range(count)}, "a")
    with CaptureQueriesContext(connection) as statements:
        hand_in(tenant, "fan", {**steps, **behind({"z": echo()}, *steps)})
    assert len(statements) <= 8


def test_a_quota_refuses_the_whole(tenant: Tenant) -> None:
    tenant.max_queued = 2
    tenant.save()
    with pytest.raises(QuotaExceeded):
        hand_in(tenant, "", chain({"a": echo(), "b": echo(), "c": echo()}))
    assert not Job.objects.exists()
    assert not Workflow.objects.exists()


@pytest.fixture
def strict(declaring: None) -> str:
    @job_type("testing.strict")
    def strict(
        context: JobContext,
        *,
        number: int,
        words: list[str] | None = None,
        token: Secret[str] | None = None,
        document: InputFile | None = None,
    ) -> None: ...

    return strict.name


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        ({"number": "x", "words": result("a")}, "number"),
        ({"words": result("a")}, "number"),
        ({"number": result("a"), "wrods": 1}, "wrods"),
        ({"number": result("a"), "wrods": result("a")}, "wrods"),
        ({"number": 1, "token": result("a")}, "token"),
        ({"number": 1, "document": {"file_id": result("a.id")}}, "document"),
        ({"number": 1, "words": [{"$result": "a", "else": 1}]}, "words/0"),
        ({"number": 1, "words": [result("later")]}, "words/0"),
        ({"number": 1, "words": result("nobody.x")}, "words"),
    ],
)
def test_what_is_known_of_a_payload_is_checked_at_once(
    payload: dict[str, Any], place: str, strict: str, tenant: Tenant
) -> None:
    steps = {"a": echo(), "b": Step(type_name=strict, payload=payload, after=["a"])}
    with pytest.raises(InvalidWorkflow) as refused:
        hand_in(tenant, "", {**steps, "later": echo("b")})
    assert pointers(refused) == [f"/steps/b/payload/{place}"]
    assert not Job.objects.exists()


def test_beside_a_reference_secrets_are_sealed_and_files_kept(
    strict: str, tenant: Tenant, tmp_path: Path, settings: Settings
) -> None:
    storage_at(tmp_path / "files", settings)
    payload = {"number": result("a.n"), "token": "hidden", "document": stored(tenant).pk}
    made = hand_in(
        tenant, "", {"a": echo(), "b": Step(type_name=strict, payload=payload, after=["a"])}
    )
    kept = made.jobs["b"].payload
    assert kept["number"] == result("a.n")
    assert "hidden" not in str(kept)
    assert FileUse.objects.get().job == made.jobs["b"]
