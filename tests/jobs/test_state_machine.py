"""Random lives of a few jobs, checked against the ledger after every step.

The quick profile runs with the suite; `HYPOTHESIS_PROFILE=thorough` looks twenty times as long.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from accounts.models import Tenant
from jobs.models import Attempt, Job
from jobs.states import ACTIVE
from tests.jobs.jobs_machine import JobsMachine
from tests.jobs.ledger import Record

QUICK, THOROUGH = 80, 1600
PROFILE = settings(
    max_examples=THOROUGH if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else QUICK,
    stateful_step_count=50,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class CheckedJobs(JobsMachine):
    """With what has to hold after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.highest_fence: dict[UUID, int] = {}

    @invariant()
    def rows_are_as_the_ledger_says(self) -> None:
        rows = {job.pk: job for job in Job.objects.all()}
        assert set(rows) == set(self.ids)
        for job_id, record in zip(self.ids, self.records, strict=True):
            assert as_told(rows[job_id]) == as_expected(record)
            assert record.fence >= self.highest_fence.get(job_id, 0)
            self.highest_fence[job_id] = record.fence
        keys = Counter(job.unique_key for job in rows.values() if job.status in ACTIVE)
        assert keys["k"] <= 1

    @invariant()
    def a_run_completes_once(self) -> None:
        assert max(self.completions.values(), default=1) <= 1

    @invariant()
    def history_tells_each_attempt_once(self) -> None:
        told: dict[UUID, list[tuple[int, str]]] = {job_id: [] for job_id in self.ids}
        lines = Attempt.objects.order_by("fence").values_list("job_id", "fence", "outcome")
        for job_id, fence, outcome in lines:
            told[job_id].append((fence, outcome))
        for job_id, record in zip(self.ids, self.records, strict=True):
            assert told[job_id] == record.history


def as_told(job: Job) -> dict[str, Any]:
    return {
        "status": job.status,
        "fence": job.fence,
        "sent": job.dispatched_at is not None,
        "leased": job.lease_expires_at is not None,
        "cancel asked": job.cancel_requested_at is not None,
        "priority": job.priority,
        "run": job.run,
        "attempt": job.attempt,
        "retries": job.retry_count,
        "crashes": job.crash_count,
        "discarded": job.discarded_at is not None,
        "result": job.result,
    }


def as_expected(record: Record) -> dict[str, Any]:
    return {
        "status": record.status,
        "fence": record.fence,
        "sent": record.sent,
        "leased": record.lease is not None,
        "cancel asked": record.cancel_asked,
        "priority": record.priority,
        "run": record.run,
        "attempt": record.attempt,
        "retries": record.retries,
        "crashes": record.crashes,
        "discarded": record.discarded,
        "result": 1 if record.status == "completed" else None,
    }


@pytest.mark.timeout(1800)
def test_random_lives_of_jobs_are_as_the_ledger_says(tenant: Tenant) -> None:
    CheckedJobs.tenant = tenant

    run_state_machine_as_test(CheckedJobs, settings=PROFILE)
