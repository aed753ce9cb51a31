"""Batches and workflows."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from jobs.api.batches_documents import BatchDocument, ChangedBatchDocument, NewBatchDocument
from jobs.api.examples.one import ENDED, ID, MADE, OTHER_ID
from jobs.api.workflows_documents import (
    ChangedWorkflowDocument,
    NewWorkflowDocument,
    WholeWorkflowDocument,
    WorkflowDocument,
)

_COUNTS = {
    "blocked": 0,
    "scheduled": 0,
    "queued": 0,
    "processing": 0,
    "completed": 2,
    "failed": 0,
    "cancelled": 0,
}
_BATCH = {
    "id": OTHER_ID,
    "name": "a class",
    "owner": None,
    "status": "completed",
    "total": 2,
    "counts": _COUNTS,
    "progress": 100,
    "on_complete_job": None,
    "on_failure_job": None,
    "created_at": MADE,
    "finished_at": ENDED,
    "created_by": "token:shop",
}
_WORKFLOW = {
    "id": OTHER_ID,
    "name": "a greeting",
    "owner": None,
    "status": "completed",
    "total": 2,
    "counts": _COUNTS,
    "created_at": MADE,
    "created_by": "token:shop",
}
_FETCH = {
    "job_id": ID,
    "type": "diagnostics.echo",
    "status": "completed",
    "after": [],
    "depends_on": [],
}
_GREET = {
    **_FETCH,
    "job_id": "0199a1c0-9b3c-7d11-a0fe-51c7e2a8b904",
    "after": [{"step": "fetch", "on_failure": "cancel"}],
}

EXAMPLES: dict[type[BaseModel], Any] = {
    NewBatchDocument: {
        "batch_id": OTHER_ID,
        "total": 2,
        "queued": 1,
        "already_queued": 0,
        "failed": 1,
        "results": [
            {"index": 0, "job_id": ID, "status": "queued", "error": None, "errors": []},
            {
                "index": 1,
                "job_id": None,
                "status": "failed",
                "error": "/payload/seconds: Field required",
                "errors": [{"pointer": "/payload/seconds", "detail": "Field required"}],
            },
        ],
    },
    BatchDocument: _BATCH,
    ChangedBatchDocument: {**_BATCH, "changed": 0},
    NewWorkflowDocument: {
        "workflow_id": OTHER_ID,
        "steps": {"fetch": _FETCH["job_id"], "greet": _GREET["job_id"]},
    },
    WorkflowDocument: _WORKFLOW,
    WholeWorkflowDocument: {
        **_WORKFLOW,
        "steps": {"fetch": _FETCH, "greet": _GREET},
        "edges_left_out": False,
    },
    ChangedWorkflowDocument: {**_WORKFLOW, "changed": 0, "refused": {}},
}
