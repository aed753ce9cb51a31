"""What has to hold after every step of a machine's run, whatever the step was."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant

from jobs.models import Attempt, Job
from jobs.states import ACTIVE
from tests.jobs.ledger import Record
from tests.jobs.people_machine import PeopleMachine

THOROUGH = 20  # times as long


def is_thorough() -> bool:
    return os.environ.get("HYPOTHESIS_PROFILE") == "thorough"


def profile(examples: int, **chosen: Any) -> settings:
    """So many runs; `HYPOTHESIS_PROFILE=thorough` asks for more of them."""
    return settings(
        **{
            "max_examples": examples * (THOROUGH if is_thorough() else 1),
            "stateful_step_count": 50,
            "deadline": None,
            "database": None,
            "suppress_health_check": list(HealthCheck),
            **chosen,
        }
    )


class Checked(PeopleMachine):
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

    @invariant()
    def a_unique_key_has_one_active_job(self) -> None:
        keyed = Job.objects.filter(status__in=ACTIVE).exclude(unique_key="")
        keys = Counter(keyed.values_list("tenant", "type", "unique_key"))
        assert max(keys.values(), default=1) == 1

    @invariant()
    def a_run_completes_once(self) -> None:
        assert max(self.completions.values(), default=1) <= 1

    @invariant()
    def history_tells_each_attempt_once(self) -> None:
        """So nothing was repeated that had not failed, been lost, or been given back."""
        told: dict[UUID, list[tuple[int, str]]] = {job_id: [] for job_id in self.ids}
        lines = Attempt.objects.order_by("fence").values_list("job_id", "fence", "outcome")
        for job_id, fence, outcome in lines:
            told[job_id].append((fence, outcome))
        for job_id, record in zip(self.ids, self.records, strict=True):
            assert told[job_id] == record.history
            untold = record.status in {"processing", "completed"}
            assert record.attempt == len(record.history) + untold


def as_told(job: Job) -> dict[str, Any]:
    return {
        "status": job.status,
        "fence": job.fence,
        "sent": job.dispatched_at is not None,
        "leased": job.lease_expires_at is not None,
        "cancel asked": job.cancel_requested_at is not None,
        "priority": job.priority,
        "queue": job.queue_id,
        "limit key": job.limit_key,
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
        "queue": record.place.queue,
        "limit key": record.place.key,
        "run": record.run,
        "attempt": record.attempt,
        "retries": record.retries,
        "crashes": record.crashes,
        "discarded": record.discarded,
        "result": record.result,
    }
