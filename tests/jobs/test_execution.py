"""One attempt in this very process: whatever job code does, its job comes to a kept end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, cast

import pytest
from django.db import OperationalError, connection, connections, transaction

from accounts.models import Tenant
from jobs import JobContext, Snooze, job_type, lifecycle, registry
from jobs.enqueue import enqueue
from jobs.models import Attempt, AttemptOutcome, Job
from jobs.states import Status
from jobs.testing.execution import InlineExecution
from jobs.worker.execution import Execution
from jobs.worker.identity import WorkerIdentity
from tests.jobs import making

pytestmark = pytest.mark.django_db(transaction=True)


class Clock:
    """`time` as a module sees it whose clock a test moves on."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


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


def test_the_time_that_a_connection_takes_is_none_of_the_leases(
    tenant: Tenant, declared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, clock = type(connections["default"]), Clock()
    connect = backend.connect

    def connect_slowly(self: Any) -> None:
        clock.ahead += 60
        connect(self)

    job = enqueue(tenant, declared, {"how": "well"}).job
    sent = making.send(job)
    connection.close()
    monkeypatch.setattr(backend, "connect", connect_slowly)
    monkeypatch.setattr("jobs.worker.execution.time", clock)
    InlineExecution(WorkerIdentity(name="w@test", lease_seconds=30)).run(sent)

    assert clock.ahead == 60
    assert making.fresh(job).status == Status.COMPLETED


def test_a_claim_that_took_as_long_as_its_lease_is_given_back_and_its_code_not_begun(
    tenant: Tenant, declared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = lifecycle.claim

    def claim_slowly(*args: Any, **kwargs: Any) -> lifecycle.ClaimedJob | None:
        claimed = claim(*args, **kwargs)
        time.sleep(0.2)
        return claimed

    job = enqueue(tenant, declared, {"how": "well"}).job
    monkeypatch.setattr(lifecycle, "claim", claim_slowly)
    InlineExecution(WorkerIdentity(name="w@test", lease_seconds=0.2)).run(making.send(job))

    after = making.fresh(job)
    assert (after.status, after.retry_count, after.crash_count) == (Status.QUEUED, 0, 0)
    attempt = Attempt.objects.get(job=job)
    assert attempt.outcome == AttemptOutcome.RELEASED
    assert attempt.error is not None
    assert attempt.error["message"] == "The claim took as long as the lease that it was for."


def test_g5_a_claim_whose_answer_was_lost_counts_from_when_it_was_first_asked_for(
    tenant: Tenant, declared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its commit is not to be seen yet when it is looked for; the second try is lost as well."""
    claim, claimed_before = lifecycle.claim, lifecycle.claimed_before
    asked: list[float] = []

    def claim_and_break(*args: Any, **kwargs: Any) -> None:
        asked.append(time.monotonic())
        if len(asked) == 1:
            claim(*args, **kwargs)
        raise OperationalError("the connection broke")

    def seen_late(*args: Any, **kwargs: Any) -> lifecycle.ClaimedJob | None:
        return None if len(asked) < 2 else claimed_before(*args, **kwargs)

    sent = making.send(enqueue(tenant, declared, {"how": "well"}).job)
    monkeypatch.setattr(lifecycle, "claim", claim_and_break)
    monkeypatch.setattr(lifecycle, "claimed_before", seen_late)
    identity = WorkerIdentity(name="w@test", lease_seconds=30)
    claimed, deadline = InlineExecution(identity)._claim(sent)
    assert claimed is not None
    assert len(asked) == 2
    assert deadline <= asked[0] + identity.lease_seconds - identity.lease_margin
