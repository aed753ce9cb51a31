"""What the dispatcher reads of the present: workers, load, messages on their way."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Coalesce, Now

from jobs.dispatcher.lost import Sent
from jobs.dispatcher.window import LiveWorker, Load
from jobs.models import Job, Wish, Worker
from jobs.priorities import Level, level_of

WORKER_SILENT_AFTER = timedelta(seconds=10)


def live_workers(wish: Wish = Wish.RUN) -> list[LiveWorker]:
    """Workers that reported themselves lately, do not stop, and are asked for this: to take
    jobs."""
    return [
        LiveWorker(
            incarnation=row.incarnation,
            queues=frozenset(row.queues),
            types=frozenset(row.types),
            slots=row.slots,
        )
        for row in reporting().filter(wish=wish)
    ]


def reporting() -> QuerySet[Worker]:
    """Workers that reported themselves lately and do not stop, whatever they are asked for."""
    return Worker.objects.filter(stopping=False, seen_at__gt=Now() - WORKER_SILENT_AFTER)


def on_their_way() -> list[Sent]:
    """Every message sent and not claimed; the window bounds how many there are."""
    rows = Job.objects.in_flight().values_list(
        "id", "fence", "queue_id", "type", Coalesce("sent_priority", "priority"), "dispatched_at"
    )
    return [
        Sent(
            id=job_id,
            fence=fence,
            queue=queue,
            type=job_type,
            level=level_of(priority),
            sent_at=dispatched_at,
        )
        for job_id, fence, queue, job_type, priority, dispatched_at in rows
        if dispatched_at is not None
    ]


_LOAD = """
    SELECT true AS runs, incarnation::text, 0 AS priority, type, count(*) FROM jobs_job
     WHERE status = 'processing' GROUP BY incarnation, type
    UNION ALL
    SELECT false, queue, COALESCE(sent_priority, priority) AS priority, type, count(*)
      FROM jobs_job
     WHERE status = 'queued' AND dispatched_at IS NOT NULL GROUP BY 2, 3, 4
"""


def load() -> Load:
    """What runs and what is on its way, in one look."""
    running: defaultdict[UUID, list[str]] = defaultdict(list)
    waiting: defaultdict[tuple[str, Level], list[str]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_LOAD)
        for runs, where, priority, job_type, count in cursor.fetchall():
            types = running[UUID(where)] if runs else waiting[where, level_of(priority)]
            types += [job_type] * count
    return Load(running=running, waiting=waiting)
