"""One verb on many jobs, and dead letters by group."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from jobs.api.bulk_bodies import BulkDocument, Chosen, ChosenToBoost, DryRun, NewStatus
from jobs.api.examples.one import ENDED, ID, MADE, OTHER_ID
from jobs.api.failures import FailureDocument

EXAMPLES: dict[type[BaseModel], Any] = {
    Chosen: {"filter": {"type": "diagnostics.sleep", "label": "course:7"}, "dry_run": True},
    ChosenToBoost: {"job_ids": [ID], "boost": 20},
    NewStatus: {"job_ids": [ID], "status": "failed"},
    DryRun: {"dry_run": True},
    BulkDocument: {
        "matched": 1,
        "changed": 1,
        "results": [
            {"job_id": ID, "status": "cancelled", "error": None},
            {"job_id": OTHER_ID, "status": None, "error": "not_found"},
        ],
        "more": False,
    },
    FailureDocument: {
        "fingerprint": "5f1d7a84db00d2fc",
        "type": "media.fetch",
        "exception": "TimeoutError",
        "frames": None,
        "count": 12,
        "count_exact": True,
        "first": MADE,
        "last": ENDED,
        "sample": {
            "id": ID,
            "queue": "default",
            "message": "no answer in 5 seconds",
            "completed_at": ENDED,
        },
    },
}
