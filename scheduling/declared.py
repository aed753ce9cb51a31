"""Schedules that are declared in code become rows: at each start of beat, and by command.

The code decides all fields but `enabled`, which is the operators' once the row is there. What is
declared no longer is only told of, and removed by command alone: during a deploy, old and new code
run side by side.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import DatabaseError, InterfaceError, connection, transaction
from pydantic_core import PydanticCustomError

from accounts.models import Tenant
from jobs import recurring
from jobs.exceptions import JobsError
from jobs.lifecycle.statement import bound_waits
from jobs.operations import Actor
from jobs.recurring import DeclaredSchedule
from jobs.secret import masked, unmasked
from jobs.webhook_url import Judge
from scheduling import verbs
from scheduling.definition import Definition, definition_of, judge
from scheduling.models import Calendar, Schedule

logger = logging.getLogger(__name__)

BY_CODE = Actor(name="code")
_LOCK = 0x5C4ED
_SHARED = frozenset(Definition.__dataclass_fields__) - {"calendar_ids", "enabled"}


@dataclass(kw_only=True)
class Synchronised:
    """Names, as `tenant: name`; of those refused, why."""

    made: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def synchronise(by: Actor = BY_CODE, *, prune: bool = False, dry_run: bool = False) -> Synchronised:
    """Make and change rows after the code. `prune`: remove what is declared no longer. `dry_run`:
    undo all of it at the end."""
    done, judge = Synchronised(), Judge()
    wanted = [replace(one, webhook_url=judge(one.webhook_url)) for one in recurring.all()]
    with transaction.atomic():
        bound_waits()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        tenants = {one.slug: one for one in Tenant.objects.all()}
        for declared in wanted:
            name = f"{declared.tenant}: {declared.name}"
            try:
                with transaction.atomic():
                    _put(declared, tenants.get(declared.tenant), name, by, done)
            except Exception as error:
                if transaction.get_rollback():  # not even the savepoint: the connection is lost
                    raise
                done.refused[name] = _reason(error)
        _see_to_vanished(by, done, prune=prune)
        transaction.set_rollback(dry_run)
    return done


def synchronise_at_start() -> bool:
    """The same, told to the log; whatever goes wrong, its process goes on. False where the database
    was away, or another one held it up: then it is to be tried again."""
    try:
        done = synchronise()
    except (DatabaseError, InterfaceError) as error:
        logger.warning("declared schedules wait: %s", str(error).partition("\n")[0])
        connection.close()
        return False
    except Exception:
        logger.exception("declared schedules could not be synchronised")
        return True
    for name, reason in done.refused.items():
        logger.error("schedule %s, declared in code, is refused: %s", name, reason)
    for name in done.vanished:
        logger.warning("schedule %s is declared no longer, and goes on; see schedules sync", name)
    if done.made or done.changed:
        logger.info("schedules declared in code: %d new, %d changed", len(done.made),
                    len(done.changed))  # fmt: skip
    return True


class _Refused(Exception):
    pass


def _reason(error: Exception) -> str:
    if isinstance(error, JobsError | _Refused):
        return str(error)
    logger.warning("a schedule that is declared in code failed", exc_info=error)
    return f"{type(error).__name__}: {error}"


def _put(
    declared: DeclaredSchedule, tenant: Tenant | None, name: str, by: Actor, done: Synchronised
) -> None:
    if tenant is None:
        raise _Refused(f"there is no tenant {declared.tenant!r}")
    given = _definition(declared, tenant)
    row = Schedule.objects.filter(tenant=tenant, name=declared.name).first()
    if row is None:
        verbs.create(tenant, given, by, declared=True)
        done.made.append(name)
    elif not row.declared:
        raise _Refused("one of this name was made by hand")
    elif changes := _changes(row, given):
        verbs.redeclare(row, changes, by)
        done.changed.append(name)
    else:
        done.unchanged.append(name)


def _definition(declared: DeclaredSchedule, tenant: Tenant) -> Definition:
    names = declared.calendars
    found = {one.name: one.pk for one in Calendar.objects.filter(tenant=tenant, name__in=names)}
    unknown = [name for name in names if name not in found]
    if unknown:
        raise _Refused(f"there is no calendar {unknown[0]!r}")
    return replace(as_definition(declared), calendar_ids=tuple(found[name] for name in names))


def as_definition(declared: DeclaredSchedule) -> Definition:
    """What it says, without its calendars: their ids stand in the database."""
    shared = {name: getattr(declared, name) for name in _SHARED}
    return Definition(**shared, enabled=declared.enabled)


def _changes(row: Schedule, given: Definition) -> dict[str, Any]:
    """What is another than it was, as the row would say it."""
    was = definition_of(row)
    judged = judge(row.tenant, given)
    now = {name: judged.columns[name] for name in _SHARED}
    now["queue"] = now["queue"] or None
    different = {
        name: getattr(given, name)
        for name in _SHARED - {"payload"}
        if getattr(was, name) != now[name]
    }
    if not _same(was.payload, now["payload"]):
        different["payload"] = given.payload
    if set(was.calendar_ids) != set(given.calendar_ids):
        different["calendar_ids"] = given.calendar_ids
    return different


def _same(stored: Any, wanted: Any) -> bool:
    """What can no longer be read is another."""
    try:
        return bool(_opened(stored) == _opened(wanted))
    except PydanticCustomError:
        return False


def _opened(payload: Any) -> Any:
    return unmasked(masked(payload), payload)


def _see_to_vanished(by: Actor, done: Synchronised, *, prune: bool) -> None:
    known = {(one.tenant, one.name) for one in recurring.all()}
    for row in Schedule.objects.filter(declared=True).select_related("tenant"):
        if (row.tenant.slug, row.name) in known:
            continue
        name = f"{row.tenant.slug}: {row.name}"
        if prune:
            verbs.delete(row, by, declared_too=True)
            done.removed.append(name)
        else:
            done.vanished.append(name)
