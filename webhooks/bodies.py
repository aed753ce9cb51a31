"""What is told: the exact body of an event."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts.access import Access
from accounts.api.moment import shown
from accounts.models import Tenant
from accounts.principal import Kind, Principal
from jobs.api.batches_documents import batch_document
from jobs.api.presenting import job_documents
from jobs.api.reach import jobs_of
from jobs.batches import with_counts
from jobs.models import Batch, Job

MOST_BYTES = 256 * 1024
_LEFT_OUT = frozenset(
    {"payload", "position", "position_exact", "estimated_wait_seconds", "webhook_url", "worker"}
)
_LARGE = ("result", "error", "artifacts", "progress_message", "labels")  # what is left out, in turn


def body(event: str, at: datetime, data: Mapping[str, Any]) -> str:
    """`{"event", "timestamp", "data"}` as JSON, which never is longer than MOST_BYTES."""
    text = _written(event, at, data)
    for name in _LARGE:
        if len(text.encode()) <= MOST_BYTES:
            break
        if name in data:
            data = _without(data, name)
            text = _written(event, at, data)
    return text


def _written(event: str, at: datetime, data: Mapping[str, Any]) -> str:
    told = {"event": event, "timestamp": shown(at), "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _without(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    smaller = {**data, name: None}
    if name == "result":
        smaller["result_url"] = data.get("result_url") or _result_url(data["job_id"])
    return smaller


def _result_url(job_id: str) -> str:
    """Where the job's document, and with it the result, is read."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/api/v1/jobs/{job_id}"


def rows(tenant_id: int, job_ids: Sequence[UUID]) -> dict[UUID, Job]:
    """Jobs of the tenant, with all that a document says of them."""
    return jobs_of(_all_of(tenant_id)).in_bulk(job_ids)


def of_jobs(tenant_id: int, jobs: Sequence[Job]) -> dict[UUID, dict[str, Any]]:
    """What is told of each of `rows`: `job_id`, and the job as REST shows it, without its payload,
    its place in a queue, its worker and its own URL. Secrets are masked; tracebacks stay here."""
    return {
        job.pk: {
            "job_id": str(job.pk),
            **{name: value for name, value in told.items() if name not in _LEFT_OUT},
        }
        for job, told in zip(jobs, job_documents(jobs, _all_of(tenant_id)), strict=True)
    }


def of_batch(tenant_id: int, batch_id: str) -> dict[str, Any]:
    """What is told of a batch: `batch_id`, and the batch as REST shows it."""
    batch = with_counts(Batch.objects.filter(tenant=tenant_id)).get(pk=batch_id)
    return {"batch_id": batch_id, **batch_document(batch, _all_of(tenant_id))}


def _all_of(tenant_id: int) -> Access:
    tenant = Tenant(pk=tenant_id)
    nobody = Principal(kind=Kind.TOKEN, name="", tenant=tenant, scopes=frozenset())
    return Access(principal=nobody, tenant=tenant)
