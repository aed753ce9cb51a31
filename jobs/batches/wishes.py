"""The jobs that a batch hands in by itself: decided with the batch, written down until their time.

The payload is validated and sealed as that of any job, so no secret stands in a batch in clear.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.models import Tenant
from jobs import registry
from jobs.batches.refusals import broken_rules
from jobs.enqueue import JobRequest, prepared
from jobs.exceptions import FieldError, InvalidOptions, JobsError
from jobs.options import JobOptions

_COLUMNS = (
    "owner", "type", "queue_id", "labels", "unique_key", "limit_key", "created_by", "priority",
    "base_priority", "payload", "max_retries", "retry_backoff", "timeout_seconds",
    "estimated_duration_seconds", "webhook_url",
)  # fmt: skip
_NOT_HERE = (
    "depends_on", "unique_for_seconds", "on_duplicate", "debounce_seconds", "debounce_max_seconds",
)  # fmt: skip


def decided(tenant: Tenant, place: str, request: JobRequest | None) -> dict[str, Any] | None:
    """The wish as `jobs.lifecycle.counting` reads it. Raises InvalidOptions, whose errors point
    into the document where the wish stands at `place`."""
    if request is None:
        return None
    try:
        _refuse_what_cannot_wait(request)
        job = prepared(tenant, request)
    except JobsError as error:
        raise InvalidOptions(broken_rules(error, place)) from error
    given = request.options
    return {
        "columns": {name: getattr(job, name) for name in _COLUMNS},
        "delay_seconds": given.delay_seconds or 0,
        "run_at": _text(given.run_at),
        "expires_at": _text(given.expires_at),
    }


def _refuse_what_cannot_wait(request: JobRequest) -> None:
    """What looks at other jobs or at files is looked at when a job is handed in; a wish is not
    one yet."""
    given, default = request.options, JobOptions()
    errors = [
        FieldError(f"/{name}", "is not for a job that a batch hands in")
        for name in _NOT_HERE
        if getattr(given, name) and getattr(given, name) != getattr(default, name)
    ]
    if errors:
        raise InvalidOptions(errors)
    job_type = registry.get_public(request.type_name)
    if job_type.takes_files:
        job_type.validated(request.payload)  # refuses the name of a file


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
