"""Deliveries whose internal job is no more are handed in again, and so is what makes deliveries.

Nothing that Celeriac does leaves one so; a job that was removed by hand does, or a database that
was restored in part. Without this such a delivery would wait for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import groupby
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from jobs.lifecycle.statement import bound_waits
from jobs.models import Job
from jobs.states import FINAL
from webhooks import fanning_out, handing_in
from webhooks.listening import listener_of
from webhooks.models import Delivery, Event
from webhooks.policies import DELIVERIES_QUEUE, FAN_OUT, DeliveryStatus

EVERY_SECONDS = 60.0
PAGE = 10_000  # deliveries looked at in a round
MOST = 500  # of those handed in again
_PATIENCE = timedelta(minutes=2)

# Raw SQL: the page is cut from the index of those that are pending before any job is looked at, and
# LIMIT keeps the planner from turning the look-ups into one join with the whole table of jobs. The
# last of its rows comes with it, whatever it is, to go on from.
_LOST = """
    WITH page AS MATERIALIZED (
        SELECT id, task_id, created_at FROM webhooks_delivery
         WHERE status = 'pending' AND task_id > %(after)s ORDER BY task_id LIMIT %(page)s
    ), lost AS (
        SELECT page.id, page.task_id FROM page
          LEFT JOIN LATERAL (
               SELECT true AS yes FROM jobs_job AS job
                WHERE job.id = page.task_id
                  AND job.status NOT IN ('completed', 'failed', 'cancelled')
                LIMIT 1) AS alive ON true
         WHERE alive.yes IS NULL
           AND page.created_at < statement_timestamp() - interval '2 minutes'
         ORDER BY page.task_id LIMIT %(most)s
    )
    SELECT (SELECT array_agg(id) FROM lost), (SELECT array_agg(task_id) FROM lost),
           CASE WHEN (SELECT count(*) FROM lost) = %(most)s
                THEN (SELECT task_id FROM lost ORDER BY task_id DESC LIMIT 1)
                ELSE (SELECT task_id FROM page ORDER BY task_id DESC LIMIT 1) END
"""
_WITHOUT = """
    SELECT id FROM webhooks_delivery
     WHERE status = 'pending' AND task_id IS NULL
       AND created_at < statement_timestamp() - interval '2 minutes'
     ORDER BY id LIMIT %(most)s
"""
_BEFORE_ALL = UUID(int=0)


class Healing:
    """Each run looks at the next so many that are pending, and after the last one begins anew; so
    it costs the same however many there are."""

    def __init__(self) -> None:
        self._after = _BEFORE_ALL

    def run(self) -> int:
        """Returns how many were handed in again."""
        return _heal(dict.fromkeys(_without())) + _heal(self._lost())

    def _lost(self) -> dict[UUID, UUID | None]:
        """Of the next page, each with the job that it has lost."""
        with connection.cursor() as cursor:
            cursor.execute(_LOST, {"after": self._after, "page": PAGE, "most": MOST})
            ids, tasks, last = cursor.fetchone() or (None, None, None)
        self._after = last or _BEFORE_ALL
        return dict(zip(ids or (), tasks or (), strict=True))


def ask_again() -> int:
    """See to it that events which were put off are told, where no internal job is about to. Returns
    of how many tenants."""
    moment = timezone.now() - _PATIENCE
    late = Event.objects.filter(due__isnull=False, created_at__lt=moment).order_by("tenant")
    asked = Job.objects.filter(queue=DELIVERIES_QUEUE, type=FAN_OUT).exclude(status__in=FINAL)
    number = 0
    for tenant_id in late.values_list("tenant", flat=True).distinct():
        if not asked.filter(tenant__works_for=tenant_id).exists():
            with transaction.atomic():
                fanning_out.ask(tenant_id)
            number += 1
    return number


def _without() -> list[UUID]:
    """Those that never had one."""
    with connection.cursor() as cursor:
        cursor.execute(_WITHOUT, {"most": MOST})
        return [pk for (pk,) in cursor.fetchall()]


def _heal(lost: Mapping[UUID, UUID | None]) -> int:
    if not lost:
        return 0
    with transaction.atomic():
        bound_waits()
        rows = [row for row in _locked(lost) if row.task_id == lost[row.pk]]
        # None waits behind a job that is no more, its own or another's.
        Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(task_id=None)
        for tenant_id, some in groupby(rows, lambda row: row.tenant_id):
            _send(tenant_id, list(some))
    return len(rows)


def _locked(lost: Mapping[UUID, UUID | None]) -> list[Delivery]:
    """What somebody holds is on its way, or is for the next time."""
    rows = Delivery.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    rows = rows.filter(pk__in=lost, status=DeliveryStatus.PENDING).order_by("tenant", "pk")
    return list(rows.select_related("event", "endpoint").defer("event__body"))


def _send(tenant_id: int, rows: list[Delivery]) -> None:
    handing_in.send(tenant_id, [(row, listener_of(row.endpoint)) for row in rows])
    for row in rows:
        row.next_attempt_at = None
    Delivery.objects.bulk_update(rows, ["task_id", "next_attempt_at"], batch_size=500)
