"""Changing what was asked of a job that waits or has failed, without handing it in anew."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import audit
from jobs import lifecycle, options
from jobs.exceptions import FieldError, InvalidOptions
from jobs.files import references
from jobs.models import Job
from jobs.new_payload import columns_with
from jobs.operations import Actor

EDITABLE = ("priority", "run_at", "payload", "labels", "max_retries")
_AUDITED = ("status", "priority", "run_at", "labels", "max_retries")


def edit(job: Job, by: Actor, changes: Mapping[str, Any]) -> Job:
    """Give a waiting or failed job another priority, start, payload, labels or number of retries.

    `changes` are some of EDITABLE. A message that is on its way is taken back. A start that is
    over, or None, makes a scheduled job ready; of a failed job it is only noted. Keys that were
    computed from the payload follow it.

    Raises TransitionRefused where the job's status does not allow it, UniqueKeyTaken,
    InvalidOptions, and for a payload UnknownJobType, InvalidPayload or PayloadTooLarge.
    """
    with transaction.atomic():
        rows = Job.objects.select_for_update(of=("self",), no_key=True)  # secrets may stay
        before = rows.select_related("tenant").get(pk=job.pk)
        columns = _columns(before, changes)
        lifecycle.edit(job.pk, columns, start_at=_start(changes.get("run_at")))
        after = Job.objects.get(pk=job.pk)
        if "payload" in changes:
            references.note_uses_anew(after)
        _record(before, after, by, changes)
    return after


def _columns(job: Job, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What is written; everything that can be refused is refused here."""
    columns = dict(changes)
    errors: list[FieldError] = []
    if "priority" in changes:
        priority = options.checked_priority(changes["priority"], job.tenant.plan, errors)
        columns |= {"priority": priority, "base_priority": priority}
    if "max_retries" in changes:
        options.check_max_retries(changes["max_retries"], errors)
    if "labels" in changes:
        options.check_labels(changes["labels"], errors)
    _check_start(job, changes.get("run_at"), errors)
    if errors:
        raise InvalidOptions(errors)
    if "payload" in changes:
        columns |= columns_with(job, changes["payload"])
    return columns


def _check_start(job: Job, run_at: datetime | None, errors: list[FieldError]) -> None:
    if run_at is None:
        return
    if run_at.tzinfo is None:
        errors.append(FieldError("/run_at", "needs a time zone"))
    elif job.expires_at and job.expires_at <= run_at:
        errors.append(FieldError("/run_at", "is after the job expires"))


def _start(run_at: datetime | None) -> datetime | None:
    return run_at if run_at and run_at > timezone.now() else None


def _record(before: Job, after: Job, by: Actor, changes: Mapping[str, Any]) -> None:
    """The payload itself is kept out of the audit trail; that it changed is told."""
    told = [name for name in _AUDITED if name in changes or name in ("status", "priority")]
    sides = [{name: _shown(getattr(job, name)) for name in told} for job in (before, after)]
    audit.record_done(
        "job.edit",
        before,
        by,
        before=sides[0],
        after=sides[1] | ({"payload": "changed"} if "payload" in changes else {}),
    )


def _shown(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
