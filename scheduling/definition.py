"""What a schedule is told to be, and whether that can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts.models import Tenant
from jobs import enqueue, registry
from jobs.exceptions import (
    FieldError,
    FieldErrors,
    InvalidPayload,
    PayloadTooLarge,
    UnknownJobType,
    UnknownQueue,
)
from jobs.models import Job
from jobs.options import JobOptions
from jobs.webhook_url import as_stored
from scheduling import cron
from scheduling.cron import CronError, DstPolicy
from scheduling.exceptions import InvalidSchedule
from scheduling.models import Calendar, Schedule
from scheduling.policies import Misfire, Overlap

MOST_CHARACTERS = 255
MOST_DESCRIBED = 2_000
MOST_MISFIRES = 1_000
MOST_JITTER = 86_400
MOST_CALENDARS = 20
_LAST_YEAR = 2200


@dataclass(frozen=True, kw_only=True)
class Definition:
    """All that a caller decides. Empty and None mean the type's, the plan's or none."""

    name: str
    type: str
    cron_expression: str
    description: str = ""
    owner: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    queue: str | None = None
    priority: int | str | None = None
    max_retries: int | None = None
    timeout_seconds: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    webhook_url: str = ""
    timezone: str = "UTC"
    dst_policy: str = DstPolicy.ONCE.value
    enabled: bool = True
    overlap: str = Overlap.ALLOW.value
    misfire: str = Misfire.RUN_ONCE.value
    misfire_limit: int = 100
    jitter_seconds: int = 0
    calendar_ids: tuple[UUID, ...] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Columns of `Schedule`, and its calendars."""

    columns: Mapping[str, Any]
    calendars: list[Calendar]


# Fields that stand in the row as they are given.
_PLAIN = (
    "name", "type", "cron_expression", "description", "owner", "max_retries", "timeout_seconds",
    "timezone", "dst_policy", "enabled", "overlap", "misfire", "misfire_limit", "jitter_seconds",
    "starts_at", "ends_at",
)  # fmt: skip


def definition_of(schedule: Schedule) -> Definition:
    """As it is; secrets of its payload as they are stored."""
    plain = {name: getattr(schedule, name) for name in _PLAIN}
    return Definition(
        **plain,
        payload=schedule.payload,
        queue=schedule.queue or None,
        priority=schedule.priority,
        labels=schedule.labels,
        webhook_url=as_stored(schedule.webhook_url),
        calendar_ids=tuple(one.pk for one in schedule.calendars.all()),
    )


FIELDS = frozenset(each.name for each in fields(Definition))


def judge(tenant: Tenant, given: Definition) -> Judged:
    """The row that it makes. Raises InvalidSchedule with every broken rule at once, and
    PayloadTooLarge."""
    errors: list[FieldError] = []
    _check_words(given, errors)
    _check_rule(given, errors)
    calendars = _calendars(tenant, given, errors)
    job = _job(tenant, given, errors)
    if errors or job is None:
        raise InvalidSchedule(errors)
    columns = {name: getattr(given, name) for name in _PLAIN} | {
        "queue": given.queue or "",
        "priority": None if given.priority is None else job.base_priority,
        "payload": job.payload,
        "labels": dict(given.labels),
        "webhook_url": job.webhook_url,
    }
    return Judged(columns=columns, calendars=calendars)


def mistakes(given: Definition) -> list[FieldError]:
    """What is wrong with it, as far as that can be told without the database."""
    errors: list[FieldError] = []
    _check_words(given, errors)
    _check_rule(given, errors)
    try:
        registry.get_public(given.type).validated(given.payload)
    except UnknownJobType as error:
        errors.append(FieldError("/type", str(error)))
    except InvalidPayload as error:
        errors += [FieldError(f"/payload{one.pointer}", one.detail) for one in error.errors]
    except PayloadTooLarge as error:
        errors.append(FieldError("/payload", str(error)))
    return errors


def judge_rule(tenant: Tenant, given: Definition) -> list[Calendar]:
    """Its calendars; only when it runs is looked at. Raises InvalidSchedule as `judge` does."""
    errors: list[FieldError] = []
    _check_rule(given, errors)
    calendars = _calendars(tenant, given, errors)
    if errors:
        raise InvalidSchedule(errors)
    return calendars


def _check_words(given: Definition, errors: list[FieldError]) -> None:
    if not 1 <= len(given.name) <= MOST_CHARACTERS or "\x00" in given.name:
        text = f"1 to {MOST_CHARACTERS} characters, none of them NUL"
        errors.append(FieldError("/name", text))
    if len(given.description) > MOST_DESCRIBED or "\x00" in given.description:
        text = f"at most {MOST_DESCRIBED:,} characters, none of them NUL"
        errors.append(FieldError("/description", text))
    for name, kind in (("overlap", Overlap), ("misfire", Misfire), ("dst_policy", DstPolicy)):
        if getattr(given, name) not in [each.value for each in kind]:
            known = ", ".join(each.value for each in kind)
            errors.append(FieldError(f"/{name}", f"one of {known}"))
    bounds = (("misfire_limit", 1, MOST_MISFIRES), ("jitter_seconds", 0, MOST_JITTER))
    for name, low, high in bounds:
        if not low <= getattr(given, name) <= high:
            errors.append(FieldError(f"/{name}", f"must be {low} to {high:,}"))


def _check_rule(given: Definition, errors: list[FieldError]) -> None:
    least = settings.SCHEDULE_MIN_INTERVAL_SECONDS
    try:
        cron.parse(given.cron_expression, min_interval_seconds=least)
    except CronError as error:
        errors.append(FieldError("/cron_expression", str(error)))
    try:
        cron.zone_of(given.timezone)
    except CronError as error:
        errors.append(FieldError("/timezone", str(error)))
    _check_times(given, errors)


def _check_times(given: Definition, errors: list[FieldError]) -> None:
    for name in ("starts_at", "ends_at"):
        moment = getattr(given, name)
        if moment is None:
            continue
        if moment.tzinfo is None:
            errors.append(FieldError(f"/{name}", "needs a time zone"))
        elif not 1970 <= moment.year <= _LAST_YEAR:
            errors.append(FieldError(f"/{name}", f"a year from 1970 to {_LAST_YEAR}"))
    if errors or given.ends_at is None:
        return
    if given.ends_at <= (given.starts_at or datetime.min.replace(tzinfo=UTC)):
        errors.append(FieldError("/ends_at", "is not after starts_at"))


def _calendars(tenant: Tenant, given: Definition, errors: list[FieldError]) -> list[Calendar]:
    """Its own tenant's; one of an owner's schedule is nobody's or that owner's."""
    if len(given.calendar_ids) > MOST_CALENDARS:
        errors.append(FieldError("/calendar_ids", f"at most {MOST_CALENDARS}"))
        return []
    rows = Calendar.objects.filter(tenant=tenant, owner__in={"", given.owner})
    found = {one.pk: one for one in rows.filter(pk__in=given.calendar_ids)}
    for place, wanted in enumerate(given.calendar_ids):
        if wanted not in found:
            errors.append(FieldError(f"/calendar_ids/{place}", "is unknown"))
    return list(found.values())


def _job(tenant: Tenant, given: Definition, errors: list[FieldError]) -> Job | None:
    """A job as the schedule would make it: the engine says what is wrong with it."""
    options = JobOptions(
        queue=given.queue,
        priority=given.priority,
        max_retries=given.max_retries,
        timeout_seconds=given.timeout_seconds,
        labels=given.labels,
        owner=given.owner,
        webhook_url=given.webhook_url,
    )
    request = enqueue.JobRequest(type_name=given.type, payload=given.payload, options=options)
    try:
        job = enqueue.prepared(tenant, request)
    except UnknownJobType as error:
        errors.append(FieldError("/type", str(error)))
    except UnknownQueue as error:
        errors.append(FieldError("/queue", str(error)))
    except InvalidPayload as error:
        errors += [FieldError(f"/payload{one.pointer}", one.detail) for one in error.errors]
    except FieldErrors as error:
        errors += error.errors
    else:
        if registry.get(given.type).named_files(job.payload):
            text = "names a file; files are removed after a while, and a schedule goes on"
            errors.append(FieldError("/payload", text))
        return job
    return None
