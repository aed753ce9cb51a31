"""Plain Celery tasks: the platform's housekeeping, which beat sends and whose results are kept, and
a run by hand from Celery's own page."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.db import connection
from django.utils import timezone

from jobs.operations import Actor
from jobs.retention.round import run_to_the_end
from scheduling import verbs
from scheduling.beat_rows import TASK
from scheduling.models import Schedule

_BATCH = 5_000
_BY_CELERY = Actor(name="beat:periodic-task")

# Raw SQL: DELETE with a limit is more than the ORM can say.
_REMOVE = """
    DELETE FROM scheduling_firing WHERE id IN (
        SELECT id FROM scheduling_firing WHERE decided_at < %s ORDER BY decided_at LIMIT %s)
"""


@shared_task(name=TASK)
def run(schedule_id: str) -> str:
    """Run a schedule by hand; returns the job's id."""
    return str(verbs.run(Schedule.objects.get(pk=schedule_id), _BY_CELERY).pk)


@shared_task(name="scheduling.remove_old_firings")
def remove_old_firings() -> int:
    """Remove firings after RETENTION_FIRING_DAYS, in small batches; returns how many."""
    before = timezone.now() - timedelta(days=settings.RETENTION_FIRING_DAYS)
    removed = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_REMOVE, [before, _BATCH])
            number: int = cursor.rowcount
        removed += number
        if number < _BATCH:
            return removed


@shared_task(name="scheduling.retention")
def retention() -> dict[str, int]:
    """What `manage.py retention` does; returns how much of what was removed."""
    return {name: number for name, number in run_to_the_end().items() if number}
