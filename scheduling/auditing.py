"""What the audit trail is told of a schedule."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from pydantic_core import PydanticCustomError

from accounts import audit
from jobs.operations import Actor
from jobs.secret import masked, unmasked
from jobs.webhook_url import without_path
from scheduling.definition import Definition, definition_of
from scheduling.models import Schedule


def record(what: str, schedule: Schedule, by: Actor, **sides: Any) -> None:
    audit.record_done(f"schedule.{what}", schedule, by, **sides)


def record_change(
    row: Schedule,
    by: Actor,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    hidden: Collection[str] = (),
) -> None:
    """`hidden` are fields that changed and may read the same before and after."""
    different = sorted({name for name in after if before[name] != after[name]}.union(hidden))
    if different:
        record(
            "change", row, by,
            before={name: before[name] for name in different},
            after={name: after[name] for name in different},
        )  # fmt: skip


def hidden(was: Definition, row: Schedule) -> list[str]:
    """Of the fields whose secrets are kept out of the trail those that changed."""
    same = {
        "payload": _same_payload(was.payload, row.payload),
        "webhook_url": was.webhook_url == row.webhook_url,
    }
    return [name for name, is_same in same.items() if not is_same]


def _same_payload(one: Any, other: Any) -> bool:
    """Whether two stored payloads are alike, secrets too; one that cannot be read is like none."""
    try:
        return _same(unmasked(masked(one), one), unmasked(masked(other), other))
    except PydanticCustomError:
        return False


def _same(one: Any, other: Any) -> bool:
    """Strictly: to Python, 1 is True."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def told(schedule: Schedule) -> dict[str, Any]:
    """All that a caller decides; secrets masked."""
    given = definition_of(schedule)
    return {
        "name": given.name,
        "type": given.type,
        "cron_expression": given.cron_expression,
        "timezone": given.timezone,
        "dst_policy": given.dst_policy,
        "enabled": given.enabled,
        "overlap": given.overlap,
        "misfire": given.misfire,
        "misfire_limit": given.misfire_limit,
        "jitter_seconds": given.jitter_seconds,
        "queue": given.queue,
        "priority": given.priority,
        "max_retries": given.max_retries,
        "timeout_seconds": given.timeout_seconds,
        "payload": masked(given.payload),
        "labels": given.labels,
        "webhook_url": without_path(given.webhook_url),
        "owner": given.owner,
        "description": given.description,
        "calendar_ids": sorted(str(one) for one in given.calendar_ids),
        "starts_at": _text(given.starts_at),
        "ends_at": _text(given.ends_at),
    }


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
