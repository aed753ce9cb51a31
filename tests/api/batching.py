"""Batches for the tests of the API, and the calls about them as `test_apart` tables them."""

from __future__ import annotations

from typing import Any

from accounts.models import Tenant
from accounts.scopes import Scope
from jobs.batches import hand_in
from jobs.enqueue import JobOptions, JobRequest
from jobs.models import Batch
from tests.api import kinds
from tests.api.calling import Answer, Caller

JOB = {"type": kinds.report.name, "payload": {"report_id": 7}}
NEW_BATCH: dict[str, Any] = {
    "type": kinds.report.name,
    "items": [{"report_id": 1}, {"report_id": 2}],
}
BATCH_CALLS = [
    ("GET", "/batches", Scope.JOBS_READ, None, None),
    ("POST", "/batches", Scope.JOBS_WRITE, NEW_BATCH, None),
    ("GET", "/batches/{id}", Scope.JOBS_READ, None, None),
    ("POST", "/batches/{id}/cancel", Scope.JOBS_WRITE, None, None),
    ("POST", "/batches/{id}/retry", Scope.JOBS_WRITE, None, None),
]


def made(tenant: Tenant, number: int = 2, owner: str = "") -> Batch:
    request = JobRequest(
        type_name=kinds.report.name, payload={"report_id": 7}, options=JobOptions(owner=owner)
    )
    return hand_in(tenant, [request] * number, owner=owner, name="a class").batch


def call(caller: Caller, method: str, path: str, body: object) -> Answer:
    return caller.get(path) if method == "GET" else caller.post(path, body)
