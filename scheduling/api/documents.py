"""A schedule as the API shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from accounts.access import Access
from accounts.api.moment import shown
from jobs import registry
from jobs.exceptions import UnknownJobType
from jobs.priorities import Level, level_of
from jobs.secret import masked
from scheduling import timing
from scheduling.cron import DstPolicy
from scheduling.models import Schedule
from scheduling.policies import Misfire, Overlap


class ScheduleDocument(BaseModel):
    """A recurring job as it stands.

    `queue` is the job type's where none was given, null where the type is known no longer. What is
    null of `priority` is the plan's, of `max_retries` and `timeout_seconds` the type's; `level` is
    what it comes to. `declared`: in code, and changed there but for `enabled`. No moment before
    `effective_from` is run. `tenant` is there where all tenants were asked for.
    """

    id: UUID
    name: str
    description: str
    type: str
    queue: str | None
    priority: int | None
    level: Level
    payload: dict[str, Any]
    max_retries: int | None
    timeout_seconds: int | None
    labels: dict[str, str]
    webhook_url: str | None
    owner: str | None
    cron_expression: str
    timezone: str
    dst_policy: DstPolicy
    enabled: bool
    overlap: Overlap
    misfire: Misfire
    misfire_limit: int
    jitter_seconds: int
    calendar_ids: list[UUID]
    starts_at: datetime | None
    ends_at: datetime | None
    last_run_at: datetime | None
    next_run_at: datetime | None
    last_job_id: UUID | None
    in_words: str
    declared: bool
    effective_from: datetime
    created_at: datetime
    updated_at: datetime
    created_by: str | None
    tenant: str | None = None


class SchedulePage(BaseModel):
    items: list[ScheduleDocument]
    next_cursor: str | None


def schedule_document(schedule: Schedule, access: Access) -> dict[str, Any]:
    """`schedule` as `scheduling.api.reach` reads it. A table, hence its length."""
    document = {
        "id": str(schedule.pk),
        "name": schedule.name,
        "description": schedule.description,
        "type": schedule.type,
        "queue": schedule.queue or _queue_of(schedule.type),
        "priority": schedule.priority,
        "level": str(_level(schedule)),
        "payload": masked(schedule.payload),
        "max_retries": schedule.max_retries,
        "timeout_seconds": schedule.timeout_seconds,
        "labels": schedule.labels,
        "webhook_url": schedule.webhook_url or None,
        "owner": schedule.owner or None,
        "cron_expression": schedule.cron_expression,
        "timezone": schedule.timezone,
        "dst_policy": schedule.dst_policy,
        "enabled": schedule.enabled,
        "overlap": schedule.overlap,
        "misfire": schedule.misfire,
        "misfire_limit": schedule.misfire_limit,
        "jitter_seconds": schedule.jitter_seconds,
        "calendar_ids": [str(one) for one in getattr(schedule, "named_calendars", ())],
        "starts_at": shown(schedule.starts_at),
        "ends_at": shown(schedule.ends_at),
        "last_run_at": shown(schedule.last_run_at),
        "next_run_at": shown(schedule.next_run_at),
        "last_job_id": None if schedule.last_job_id is None else str(schedule.last_job_id),
        "in_words": timing.words_of(schedule.cron_expression),
        "declared": schedule.declared,
        "effective_from": shown(schedule.effective_from),
        "created_at": shown(schedule.created_at),
        "updated_at": shown(schedule.updated_at),
        "created_by": schedule.created_by or None,
    }
    if access.tenant is None:
        document["tenant"] = schedule.tenant.slug
    return document


def _queue_of(type_name: str) -> str | None:
    try:
        return registry.get(type_name).queue
    except UnknownJobType:
        return None


def _level(schedule: Schedule) -> Level:
    asked = schedule.priority
    return level_of(schedule.tenant.plan.default_priority if asked is None else asked)
