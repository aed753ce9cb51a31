"""One attempt in this very process: whatever job code does, its job comes to a kept end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
from django.db import connection, transaction

from accounts.models import Tenant
from jobs import JobContext, Snooze, job_type, registry
from jobs.enqueue import enqueue
from jobs.models import Job
from jobs.states import Status
from jobs.testing.execution import InlineExecution
from jobs.worker.execution import Execution
from jobs.worker.identity import WorkerIdentity
from tests.jobs import making

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def execution() -> Execution:
    return InlineExecution(WorkerIdentity(name="w@test", lease_seconds=30))


@pytest.fixture
def declared() -> Iterator[str]:
    """A job type whose code does what its payload says."""
    name = "executed.misbehave"

    @job_type(name, max_retries=0)
    def misbehave(context: JobContext, *, how: str) -> Any:
        match how:
            case "open":
                transaction.atomic().__enter__()
                Tenant.objects.create(slug="written-inside")
            case "snooze":
                raise Snooze(cast(float, "soon"))
            case "generator":
                return _failing(KeyError("in the middle of the result"))
            case "memory":
                return _failing(MemoryError())
        return {"how": how}

    yield name
    registry.forget(name)


def _failing(error: Exception) -> Iterator[int]:
    yield 1
    raise error


def run(execution: Execution, tenant: Tenant, name: str, how: str) -> Job:
    job = enqueue(tenant, name, {"how": how}).job
    execution.run(making.send(job))
    return making.fresh(job)


def test_a_transaction_left_open_is_undone_and_swallows_no_outcome(
    execution: Execution, tenant: Tenant, declared: str
) -> None:
    job = run(execution, tenant, declared, "open")
    after = run(execution, tenant, declared, "well")

    assert (job.status, after.status) == (Status.FAILED, Status.COMPLETED)
    assert job.error is not None
    assert job.error["type"] == "transaction_left_open"
    assert not connection.in_atomic_block
    assert not Tenant.objects.filter(slug="written-inside").exists()


@pytest.mark.parametrize("how", ["snooze", "generator", "memory"])
def test_what_cannot_be_made_an_outcome_fails_the_job_at_once(
    how: str, execution: Execution, tenant: Tenant, declared: str
) -> None:
    job = run(execution, tenant, declared, how)

    assert job.status == Status.FAILED
    assert job.error is not None
    assert job.crash_count == 0
