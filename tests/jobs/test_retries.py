"""Which failures are tried again, how often, and when: through the worker's own path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from accounts.models import Tenant
from jobs import Backoff, JobContext, JobType, Retry, job_type, lifecycle
from jobs.enqueue import JobOptions, enqueue
from jobs.models import Job
from jobs.states import Status
from jobs.worker.execution import Execution
from jobs.worker.gate import Gate
from jobs.worker.identity import WorkerIdentity
from jobs.worker.slots import Slots
from tests.jobs import making
from tests.jobs.open_gate import OpenGate

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("declaring")]

CRASH_LIMIT = 3
KINDS = {"OSError": OSError, "KeyError": KeyError, "BaseException": GeneratorExit}
# The first three waits of each policy, in seconds, and how far jitter spreads them.
POLICIES = {
    "default": ([120, 240, 480], 0.1),
    "crawler": ([60, 120, 240], 0.2),
    "fixed_30s": ([30, 30, 30], 0),
    "none": ([0, 0, 0], 0),
}


def run(job: Job) -> Job:
    """One attempt, whenever it would have been due."""
    if job.status == Status.SCHEDULED:
        lifecycle.promote_now(job.pk)
    identity = WorkerIdentity(name="w@test", lease_seconds=30)
    Execution(identity, Slots(1).slot(0), cast(Gate, OpenGate())).run(making.send(job))
    return making.fresh(job)


def failing(**options: Any) -> JobType[..., Any]:
    @job_type("retried.fail", **options)
    def fail(context: JobContext, *, kind: str = "OSError") -> None:
        raise KINDS[kind]("no")

    return fail


def waits(job: Job, times: int) -> list[float]:
    """How long each of so many attempts puts the job off."""
    found = []
    for _ in range(times):
        job = run(job)
        assert job.visible_at is not None
        found.append((job.visible_at - job.updated_at).total_seconds())
    return found


def of_type(tenant: Tenant, policy: str) -> Job:
    return failing(retry_backoff=policy).enqueue(tenant=tenant)


def of_job(tenant: Tenant, policy: str) -> Job:
    return failing().enqueue(tenant=tenant, retry_backoff=policy)


@pytest.mark.parametrize("chosen", [of_type, of_job])
@pytest.mark.parametrize("policy", POLICIES)
def test_a_ready_made_policy_is_named_by_a_type_or_by_a_job(
    policy: str, chosen: Callable[[Tenant, str], Job], tenant: Tenant
) -> None:
    expected, share = POLICIES[policy]

    for wait, middle in zip(waits(chosen(tenant, policy), 3), expected, strict=True):
        assert middle * (1 - share) - 1 <= wait <= middle * (1 + share) + 1


def test_the_default_policy_is_the_default(tenant: Tenant) -> None:
    (wait,) = waits(failing().enqueue(tenant=tenant), 1)

    assert 107 <= wait <= 133


def test_a_job_may_bring_a_policy_of_its_own(tenant: Tenant) -> None:
    own = Backoff(base_seconds=1000, factor=3, max_seconds=5000, jitter=0)
    job = failing(retry_backoff="none").enqueue(tenant=tenant, retry_backoff=own)

    assert [round(wait, -1) for wait in waits(job, 3)] == [1000, 3000, 5000]


@pytest.mark.parametrize(("asked", "runs"), [(None, 4), (0, 1), (2, 3)])
def test_a_job_runs_once_more_than_it_may_be_retried(
    asked: int | None, runs: int, tenant: Tenant
) -> None:
    job = failing(retry_backoff="none").enqueue(tenant=tenant, max_retries=asked)
    for _ in range(runs - 1):
        job = run(job)
        assert (job.status, job.crash_count) == (Status.SCHEDULED, 0)

    job = run(job)

    assert (job.status, job.retry_count, job.attempt) == (Status.FAILED, runs - 1, runs)


@pytest.mark.parametrize(
    ("options", "kind", "again"),
    [
        ({}, "OSError", True),
        ({}, "BaseException", False),
        ({"autoretry_for": (OSError,)}, "OSError", True),
        ({"autoretry_for": (OSError,)}, "KeyError", False),
        ({"autoretry_for": ()}, "OSError", False),
        ({"dont_autoretry_for": (LookupError,)}, "KeyError", False),
        ({"dont_autoretry_for": (LookupError,)}, "OSError", True),
        ({"autoretry_for": (OSError,), "dont_autoretry_for": (OSError,)}, "OSError", False),
    ],
)
def test_the_type_says_which_errors_are_tried_again(
    options: dict[str, Any], kind: str, again: bool, tenant: Tenant
) -> None:
    job = run(failing(**options).enqueue(tenant=tenant, kind=kind))

    assert job.status == (Status.SCHEDULED if again else Status.FAILED)


def test_a_retry_that_the_code_asks_for_spends_one(tenant: Tenant) -> None:
    @job_type("retried.ask", max_retries=1, autoretry_for=())
    def ask(context: JobContext) -> None:
        raise Retry(after=5000)

    (wait,) = waits(job := ask.enqueue(tenant=tenant), 1)

    assert round(wait, -1) == 5000
    assert run(making.fresh(job)).status == Status.FAILED


def test_lost_workers_are_counted_apart_from_retries(tenant: Tenant) -> None:
    job = failing(retry_backoff="none", max_retries=1).enqueue(tenant=tenant)
    lost = {"type": "worker_lost", "message": "gone", "details": {}}
    for crashes in range(1, CRASH_LIMIT):
        lifecycle.lose(making.start(job), crash_limit=CRASH_LIMIT, error=lost)
        job = making.fresh(job)
        assert (job.status, job.crash_count, job.retry_count) == (Status.QUEUED, crashes, 0)

    job = run(job)
    assert (job.status, job.retry_count, job.crash_count) == (Status.SCHEDULED, 1, CRASH_LIMIT - 1)

    lifecycle.promote_now(job.pk)
    lifecycle.lose(making.start(job), crash_limit=CRASH_LIMIT, error=lost)
    job = making.fresh(job)
    assert (job.status, job.retry_count, job.crash_count) == (Status.FAILED, 1, CRASH_LIMIT)
    assert job.error is not None
    assert job.error["type"] == "worker_lost"


@pytest.mark.parametrize("situation", ["queued", "scheduled", "blocked", "waits for its retry"])
def test_a_job_that_is_not_started_in_time_ends_as_cancelled(
    situation: str, tenant: Tenant
) -> None:
    make: dict[str, Callable[[Tenant], Job]] = {
        "queued": making.queued, "scheduled": making.scheduled, "blocked": making.blocked,
        "waits for its retry": lambda tenant: run(failing().enqueue(tenant=tenant)),
    }  # fmt: skip
    job = make[situation](tenant)
    making.let_pass(job, "expires_at")

    lifecycle.expire(10)

    job = making.fresh(job)
    assert (job.status, job.cancelled_by) == (Status.CANCELLED, "expiry")


def test_a_message_that_arrives_too_late_starts_nothing(tenant: Tenant) -> None:
    ran: list[int] = []

    @job_type("retried.note")
    def note(context: JobContext) -> None:
        ran.append(context.attempt)

    job = enqueue(tenant, note.name, {}, JobOptions()).job
    making.let_pass(job, "expires_at")

    assert run(job).status == Status.QUEUED
    assert ran == []
