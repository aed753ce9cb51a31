"""What the calls about batches answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from accounts.access import Access
from accounts.api.moment import shown
from jobs.batches import BatchStatus, HandedIn, counts_of, progress_of, status_of
from jobs.batches.refusals import broken_rules, sentence
from jobs.enqueue import Enqueued
from jobs.exceptions import JobsError, UniqueKeyTaken
from jobs.models import Batch
from jobs.states import Status


class RuleDocument(BaseModel):
    """A broken rule; `pointer` points into the item."""

    pointer: str
    detail: str


class ItemDocument(BaseModel):
    """What became of one item. `already_queued`: the job holds the item's unique key; `replaced`:
    it waited, and took what the item says."""

    index: int
    job_id: UUID | None
    status: Literal["queued", "already_queued", "failed"]
    error: str | None
    errors: list[RuleDocument]
    replaced: Literal[True] | None = None


class NewBatchDocument(BaseModel):
    batch_id: UUID
    total: int
    queued: int
    already_queued: int
    failed: int
    results: list[ItemDocument]


class BatchDocument(BaseModel):
    """Jobs counted together; `total` and `counts` are of its own jobs, without the items that were
    refused or queued already. `progress` is the share that has ended; 100: all have."""

    id: UUID
    name: str
    owner: str | None
    status: BatchStatus
    total: int
    counts: dict[Status, int]
    progress: int
    on_complete_job: UUID | None
    on_failure_job: UUID | None
    created_at: datetime
    finished_at: datetime | None
    created_by: str | None
    tenant: str | None = None


class ChangedBatchDocument(BatchDocument):
    """`changed`: how many of its jobs were."""

    changed: int


class BatchPage(BaseModel):
    items: list[BatchDocument]
    next_cursor: str | None


def batch_document(batch: Batch, access: Access) -> dict[str, Any]:
    """`batch` comes from `with_counts`."""
    document = {
        "id": str(batch.pk),
        "name": batch.name,
        "owner": batch.owner or None,
        "status": str(status_of(batch)),
        "total": batch.total,
        "counts": counts_of(batch),
        "progress": progress_of(batch),
        "on_complete_job": _text(batch.on_complete_job),
        "on_failure_job": _text(batch.on_failure_job),
        "created_at": shown(batch.created_at),
        "finished_at": shown(batch.finished_at),
        "created_by": batch.created_by or None,
    }
    return document if access.tenant else {**document, "tenant": batch.tenant.slug}


def new_batch_document(made: HandedIn, access: Access) -> dict[str, Any]:
    results = [
        {"index": index, **_item(outcome, access)} for index, outcome in enumerate(made.outcomes)
    ]
    statuses = [result["status"] for result in results]
    return {
        "batch_id": str(made.batch.pk),
        "total": len(results),
        **{name: statuses.count(name) for name in ("queued", "already_queued", "failed")},
        "results": results,
    }


def _item(outcome: Enqueued | JobsError, access: Access) -> dict[str, Any]:
    if isinstance(outcome, JobsError):
        errors = [{"pointer": one.pointer, "detail": one.detail} for one in broken_rules(outcome)]
        return {"job_id": None, "status": "failed", "error": sentence(outcome), "errors": errors}
    if outcome.created:
        return _queued(outcome, "queued")
    if access.principal.owner not in ("", outcome.job.owner):  # not even its id is told
        return _item(UniqueKeyTaken(), access)
    replaced = {"replaced": True} if outcome.replaced else {}
    return {**_queued(outcome, "already_queued"), **replaced}


def _queued(outcome: Enqueued, status: str) -> dict[str, Any]:
    return {"job_id": str(outcome.job.pk), "status": status, "error": None, "errors": []}


def _text(job_id: UUID | None) -> str | None:
    return None if job_id is None else str(job_id)
