"""Pausing and resuming: jobs of a queue, a type, a tenant or a key are held back.

A pause is a row; it outlives every restart. Of one target at most one is in force: pausing again
changes its reason and its end. Jobs that run go on. What was sent and not started is taken back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts import audit
from accounts.models import Tenant
from jobs import nudge, registry
from jobs.exceptions import FieldError, InvalidPolicy
from jobs.limit_key import MAX_LENGTH
from jobs.models import Pause, PauseKind, Queue
from jobs.operations import Actor
from jobs.policies import in_flight
from jobs.policies.changes import changing
from jobs.priorities import HIGHEST

LONGEST_REASON = 500
IN_FORCE = Q(ended_at=None) & (Q(until=None) | Q(until__gt=Now()))


def pause(
    kind: PauseKind,
    target: str,
    by: Actor,
    *,
    tenant: Tenant | None = None,
    reason: str = "",
    until: datetime | None = None,
) -> tuple[Pause, bool]:
    """Hold back the jobs of a target until `until`, or until somebody resumes it.

    `target` is the name of a queue or a type, the slug of a tenant, or a key, whose tenant is then
    `tenant`. Returns the pause, and whether it is new: one in force gets this reason and this end.
    Raises InvalidPolicy for a target that does not exist, and for an end that is past.
    """
    check(kind, target, reason, until)
    owner = _whose(kind, target, tenant)
    with changing():
        row = _in_force(kind, target, owner).first()
        if row is None:
            _close_lapsed(kind, target, owner)
            row, is_new = _begin(kind, target, owner, reason, until, by), True
        else:
            _change(row, reason, until, by)
            is_new = False
        in_flight.withdraw(jobs_of(row))
    return row, is_new


def resume(kind: PauseKind, target: str, by: Actor, *, tenant: Tenant | None = None) -> list[Pause]:
    """End what pauses the target; returns what was ended: nothing, where nothing did."""
    with changing():
        ended = list(_in_force(kind, target, tenant))
        for row in ended:
            _end(row, by)
    return ended


def end(pause: Pause, by: Actor) -> bool:
    """End this one; False where it was over."""
    with changing():
        row = Pause.objects.filter(IN_FORCE, pk=pause.pk).select_related("tenant").first()
        if row is not None:
            _end(row, by)
    return row is not None


def jobs_of(pause: Pause) -> Q:
    """The jobs that it holds back."""
    match pause.kind:
        case PauseKind.QUEUE:
            return Q(queue=pause.target)
        case PauseKind.TYPE:
            return Q(type=pause.target)
        case PauseKind.TENANT:
            return Q(tenant=pause.tenant_id)
    return Q(tenant=pause.tenant_id, limit_key=pause.target)


def check(kind: PauseKind, target: str, reason: str = "", until: datetime | None = None) -> None:
    """Raises InvalidPolicy for what `pause` would refuse."""
    wrong = []
    if not _is_known(kind, target):
        wrong.append(FieldError("/target", _unknown(kind)))
    if len(reason) > LONGEST_REASON or "\x00" in reason:
        wrong.append(
            FieldError("/reason", f"at most {LONGEST_REASON} characters, none of them NUL")
        )
    if until is not None and until <= timezone.now():
        wrong.append(FieldError("/until", "is past"))
    if wrong:
        raise InvalidPolicy(wrong)


def _whose(kind: PauseKind, target: str, tenant: Tenant | None) -> Tenant | None:
    """Whose pause it is; None where it holds for all tenants."""
    if kind == PauseKind.TENANT:
        return Tenant.objects.get(slug=target)
    return tenant if kind == PauseKind.KEY else None


def _unknown(kind: PauseKind) -> str:
    return f"a key has 1 to {MAX_LENGTH} characters" if kind == PauseKind.KEY else "is unknown"


def _is_known(kind: PauseKind, target: str) -> bool:
    if "\x00" in target:
        return False
    match kind:
        case PauseKind.QUEUE:
            return Queue.objects.filter(pk=target).exists()
        case PauseKind.TYPE:
            return any(one.name == target for one in registry.all())
        case PauseKind.TENANT:
            return Tenant.objects.filter(slug=target).exists()
    return 1 <= len(target) <= MAX_LENGTH


def _of(kind: PauseKind, target: str, tenant: Tenant | None) -> Any:
    """Of a key, whose it is tells it apart; the other names are everybody's."""
    rows = Pause.objects.filter(kind=kind, target=target).select_related("tenant")
    return rows.filter(tenant=tenant) if kind == PauseKind.KEY else rows


def _in_force(kind: PauseKind, target: str, tenant: Tenant | None) -> Any:
    return _of(kind, target, tenant).filter(IN_FORCE).order_by("pk")


def _close_lapsed(kind: PauseKind, target: str, tenant: Tenant | None) -> None:
    """Write down the end of those that ended by themselves."""
    lapsed = _of(kind, target, tenant).filter(ended_at=None, until__lte=Now())
    for row in lapsed:
        Pause.objects.filter(pk=row.pk).update(ended_at=row.until)


def _begin(
    kind: PauseKind,
    target: str,
    tenant: Tenant | None,
    reason: str,
    until: datetime | None,
    by: Actor,
) -> Pause:
    row = Pause.objects.create(
        kind=kind, target=target, tenant=tenant, reason=reason, until=until, created_by=by.name
    )
    _record("start", row, by, after=_told(row))
    return row


def _change(row: Pause, reason: str, until: datetime | None, by: Actor) -> None:
    before = _told(row)
    row.reason, row.until = reason, until
    if _told(row) != before:
        row.save(update_fields=["reason", "until"])
        _record("change", row, by, before=before, after=_told(row))


def _end(row: Pause, by: Actor) -> None:
    row.ended_by = by.name
    Pause.objects.filter(pk=row.pk).update(ended_at=Now(), ended_by=by.name)
    row.refresh_from_db(fields=["ended_at"])
    _record("end", row, by, before=_told(row))
    transaction.on_commit(lambda: nudge.work_waits(HIGHEST))


def _record(what: str, row: Pause, by: Actor, **sides: Any) -> None:
    audit.record_done(f"pause.{what}", row, by, **sides)


def _told(row: Pause) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "target": row.target,
        "reason": row.reason,
        "until": row.until.isoformat() if row.until else None,
    }
