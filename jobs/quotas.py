"""How many jobs a tenant may hand in: `max_queued` that wait, `max_per_day` in a day (UTC).

The day's count is a row, locked from the first job of a transaction to its end: exact, and the
tenant's other hand-ins wait for it. What waits is counted when asked and locks nothing: of hand-ins
at the same moment each may find the last place free. A tenant without quotas pays no statement.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import Tenant
from jobs.exceptions import QuotaExceeded
from jobs.models import Job, TenantDay
from jobs.states import WAITING

_TRY_AGAIN_SECONDS = 60
_DAY = timedelta(days=1)


class Allowance:
    """What a tenant may still hand in; None is without end."""

    def __init__(self, *, waiting: int | None = None, today: int | None = None) -> None:
        self._waiting = waiting
        self._today = today
        self.used = 0

    def require_room(self, *, beside: int = 0) -> None:
        """Raises QuotaExceeded where there is none for one more, beside so many not yet used."""
        wanted = self.used + beside
        if self._today is not None and wanted >= self._today:
            raise QuotaExceeded(
                "The tenant has handed in as many jobs as it may in a day (UTC).",
                retry_after=_seconds_to_midnight(timezone.now()),
            )
        if self._waiting is not None and wanted >= self._waiting:
            raise QuotaExceeded(
                "As many of the tenant's jobs wait as may.", retry_after=_TRY_AGAIN_SECONDS
            )

    def use(self, jobs: int = 1) -> None:
        """So many jobs were handed in."""
        self.used += jobs


@contextmanager
def allowance(tenant: Tenant) -> Iterator[Allowance]:
    """What the tenant may hand in within this block. What it used of it is counted at the end,
    in one transaction with the block; a tenant without quotas gets none."""
    if tenant.max_queued is None and tenant.max_per_day is None:
        yield Allowance()
        return
    with transaction.atomic():
        day = _locked_day(tenant) if tenant.max_per_day is not None else None
        given = Allowance(waiting=_room_to_wait(tenant), today=_rest_of(day, tenant))
        yield given
        if day and given.used:
            day.jobs += given.used
            day.save(update_fields=["day", "jobs"])


def _locked_day(tenant: Tenant) -> TenantDay:
    """Today's count. A clock that is behind another machine's never brings a day back."""
    rows = TenantDay.objects.select_for_update()
    day, _ = rows.get_or_create(tenant=tenant, defaults={"day": _today()})
    if day.day < _today():
        day.day, day.jobs = _today(), 0
    return day


def _today() -> date:
    return timezone.now().astimezone(UTC).date()


def _rest_of(day: TenantDay | None, tenant: Tenant) -> int | None:
    if day is None or tenant.max_per_day is None:
        return None
    return tenant.max_per_day - day.jobs


def _room_to_wait(tenant: Tenant) -> int | None:
    """Counted no further than the quota, so that it costs no more than that."""
    if tenant.max_queued is None:
        return None
    waiting = Job.objects.filter(tenant=tenant, status__in=WAITING).order_by()
    return tenant.max_queued - waiting[: tenant.max_queued].count()


def _seconds_to_midnight(now: datetime) -> int:
    today = now.astimezone(UTC)
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
    return int((midnight - today).total_seconds()) + 1
