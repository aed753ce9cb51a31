"""Making jobs of the moments that have come: in one transaction, with no message.

Any number of processes may do it at once. Each takes schedules that nobody else holds, decides
about their moments, and moves them on; what it does not commit, the next one finds as it was.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from psycopg.errors import DeadlockDetected, LockNotAvailable, QueryCanceled

from jobs.lifecycle.statement import bound_waits
from scheduling import following, handing_in
from scheduling.models import Schedule
from scheduling.planning import Plan, planned

logger = logging.getLogger(__name__)

BATCH = 200  # schedules of one transaction
LONGEST_SECONDS = 5.0  # of one run, so that its process can tend to something else
LONGEST_IDLE = "15s"  # in a transaction; then the schedules of a process that froze are let go
LONGEST_HELD = "500ms"
_MOST_NAMED = 10
_HELD_SECONDS = 3.0  # a schedule whose rows somebody holds is left alone for so long
_ASIDE_SECONDS = 60.0  # a schedule that fails by itself is left alone for so long


class Which(Enum):
    """Long overdue ones take long to decide, and must not hold up what comes right now."""

    FRESH = "fresh"  # within its grace
    LATE = "late"
    ANY = "any"


@dataclass(frozen=True, kw_only=True)
class Round:
    """How many schedules were decided about, and how many jobs were made."""

    schedules: int = 0
    jobs: int = 0

    def __add__(self, other: Round) -> Round:
        return Round(schedules=self.schedules + other.schedules, jobs=self.jobs + other.jobs)


@dataclass(frozen=True, kw_only=True)
class Among:
    """Which schedules are to be fired: those whose moment passed `overdue_by` ago, by the
    database's clock or `now`."""

    now: datetime | None = None
    overdue_by: timedelta = timedelta()
    which: Which = Which.ANY
    only: UUID | None = None
    tenant: int | None = None
    without: Collection[UUID] = ()
    without_tenants: Collection[int] = ()


def fire_due(among: Among | None = None, *, now: datetime | None = None) -> Round:
    """Decide about what has come, of at most BATCH schedules."""
    among = among or Among(now=now)
    with transaction.atomic():
        _bound_waits()
        rows = _due(among).select_for_update(skip_locked=True, of=("self",), no_key=True)
        schedules = list(rows[:BATCH])
        if not schedules:
            return Round()
        clock: datetime = among.now or schedules[0].clock  # type: ignore[attr-defined]  # annotated
        plans = planned(schedules, clock)
        jobs = handing_in.hand_in(plans, clock)
        following.follow(plans, clock)
    _tell(plans)
    return Round(schedules=len(plans), jobs=jobs)


class Firing:
    """Fires again and again; remembers which schedules failed by themselves, and whose were held.

    Where many cannot be fired together, each tenant's are by themselves, and where those cannot,
    each schedule is. So what is wrong with one, or held by somebody, stops no other.
    """

    def __init__(self, *, overdue_by: timedelta = timedelta()) -> None:
        self._overdue_by = overdue_by
        self._aside: dict[UUID, float] = {}
        self._tenants_aside: dict[int, float] = {}
        self._until = 0.0

    def run(self, now: datetime | None = None) -> int:
        """Everything that has come, as far as LONGEST_SECONDS go; returns how many jobs it made."""
        self._until, jobs = time.monotonic() + LONGEST_SECONDS, 0
        done = Round(schedules=1)
        while done.schedules and time.monotonic() < self._until:
            done = self._round(now, Which.FRESH) + self._round(now, Which.LATE)
            jobs += done.jobs
        return jobs

    def _round(self, now: datetime | None, which: Which) -> Round:
        try:
            return fire_due(self._among(now, which))
        except Exception as error:
            if _is_outage(error):
                raise
            logger.warning("schedules could not be fired together; now by tenant: %r", error)
        return self._by_tenant(now, which)

    def _by_tenant(self, now: datetime | None, which: Which) -> Round:
        done = Round()
        due = _due(self._among(now, which)).order_by().values_list("tenant_id", flat=True)
        for tenant in sorted(set(due.distinct())):
            if time.monotonic() >= self._until:
                break
            try:
                done += fire_due(replace(self._among(now, which), tenant=tenant))
            except Exception as error:
                if _is_outage(error):
                    raise
                if isinstance(error, OperationalError):
                    logger.warning("schedules of tenant %s are held just now: %r", tenant, error)
                    self._tenants_aside[tenant] = time.monotonic() + _HELD_SECONDS
                else:
                    done += self._one_by_one(now, which, tenant)
        return done

    def _one_by_one(self, now: datetime | None, which: Which, tenant: int) -> Round:
        done = Round()
        due = _due(replace(self._among(now, which), tenant=tenant)).values_list("pk", flat=True)
        for pk in list(due[:BATCH]):
            if time.monotonic() >= self._until:
                break
            try:
                done += fire_due(replace(self._among(now, which), only=pk))
            except Exception as error:
                if _is_outage(error):
                    raise
                self._put_aside(pk, error)
        return done

    def _among(self, now: datetime | None, which: Which) -> Among:
        clock = time.monotonic()
        return Among(
            now=now,
            overdue_by=self._overdue_by,
            which=which,
            without=[pk for pk, until in self._aside.items() if until > clock],
            without_tenants=[pk for pk, until in self._tenants_aside.items() if until > clock],
        )

    def _put_aside(self, pk: UUID, error: Exception) -> None:
        """What somebody holds is free again soon; what fails by itself will fail again."""
        self._aside = {pk: until for pk, until in self._aside.items() if until > time.monotonic()}
        if isinstance(error, OperationalError):
            logger.warning("schedule %s cannot be fired just now: %r", pk, error)
            self._aside[pk] = time.monotonic() + _HELD_SECONDS
            return
        logger.error(
            "schedule %s cannot be fired; it is left alone for a minute", pk, exc_info=error
        )
        self._aside[pk] = time.monotonic() + _ASIDE_SECONDS


def _is_outage(error: Exception) -> bool:
    """Whether the database is away; a row that somebody holds is no outage."""
    if isinstance(error, OperationalError):
        return not isinstance(error.__cause__, LockNotAvailable | DeadlockDetected | QueryCanceled)
    return isinstance(error, InterfaceError)


def seconds_to_next() -> float | None:
    """Until the next moment of any schedule, by the database's clock; None where there is none."""
    row = (
        Schedule.objects.filter(enabled=True, next_moment__isnull=False)
        .order_by("next_moment")
        .values_list(F("next_moment") - Now())
        .first()
    )
    return None if row is None else float(row[0].total_seconds())


def _due(among: Among) -> QuerySet[Schedule]:
    """Those that have come, longest due first."""
    clock = Now() if among.now is None else among.now
    rows = Schedule.objects.filter(enabled=True, next_moment__lte=clock - among.overdue_by)
    grace = timedelta(seconds=settings.SCHEDULE_GRACE_SECONDS)
    match among.which:
        case Which.FRESH:
            rows = rows.filter(next_moment__gte=clock - grace)
        case Which.LATE:
            rows = rows.filter(next_moment__lt=clock - grace)
    if among.only is not None:
        rows = rows.filter(pk=among.only)
    if among.tenant is not None:
        rows = rows.filter(tenant=among.tenant)
    rows = rows.exclude(pk__in=among.without).exclude(tenant__in=among.without_tenants)
    return rows.select_related("tenant").annotate(clock=Now()).order_by("next_moment")


def _bound_waits() -> None:
    """As the engine's transactions are, but with time to compute between two statements, or a beat
    that gets little of a busy machine would lose a large batch again and again; and with less
    patience for what somebody holds, since others' schedules wait meanwhile."""
    bound_waits()
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT set_config('idle_in_transaction_session_timeout', %s, true),
                      set_config('lock_timeout', %s, true)""",
            [LONGEST_IDLE, LONGEST_HELD],
        )


def _tell(plans: Sequence[Plan]) -> None:
    """After a long outage that may be thousands: the first are named."""
    late = [plan for plan in plans if plan.missed]
    for plan in late[:_MOST_NAMED]:
        logger.warning(
            "schedule %s: %d of its moments were missed, the first at %s",
            plan.schedule.name,
            len(plan.missed),
            plan.missed[0].moment,
            extra={"schedule_id": plan.schedule.pk},
        )
    if others := late[_MOST_NAMED:]:
        moments = sum(len(plan.missed) for plan in others)
        logger.warning("%d more schedules missed moments, %d in all", len(others), moments)
