"""However many jobs that nobody can run stand at the head, those behind them are found cheaply."""

from __future__ import annotations

from datetime import timedelta

from celery import current_app
from django.db.models.functions import Now

from accounts.ids import new_id
from jobs.dispatcher.loop import Dispatcher
from jobs.dispatcher.ready import PAGE
from jobs.models import Job, Leadership, Worker
from tests.support.arena import Arena
from tests.support.buffers import undone
from tests.support.copying import unchecked

FEW, MANY = 1_000, 200_000
PRIORITY = 80
MOST_TICKS = MANY // PAGE + 3

_INSERT = """
    INSERT INTO jobs_job (id, tenant_id, type, queue, status, priority, base_priority, payload,
        labels, owner, unique_key, created_by, fence, run, attempt, retry_count, crash_count,
        max_retries, timeout_seconds, worker, progress, progress_message, cancelled_by)
    SELECT gen_random_uuid(), %(tenant)s, 'nobody.knows', 'default', 'queued',
           %(priority)s, 50, '{}', '{}', '', '', '', 0, 1, 0, 0, 0, 3, 600, '', 0, '', ''
      FROM generate_series(1, %(number)s) AS n
"""


def test_a_tick_costs_no_more_with_two_hundred_thousand_that_nobody_can_run_at_the_head(
    arena: Arena,
) -> None:
    _a_worker_reports()
    _stand_at_the_head(arena, FEW)
    job = arena.enqueue_at(PRIORITY, "testing.work")
    few = _costs_until_found(job)
    Job.objects.filter(pk=job.pk).delete()
    _stand_at_the_head(arena, MANY - FEW)
    job = arena.enqueue_at(PRIORITY, "testing.work")
    many = _costs_until_found(job)
    assert max(many) <= 2 * max(few), f"{max(many)} buffers with {MANY}, {max(few)} with {FEW}"
    assert many[-1] <= 2 * few[-1]


def _a_worker_reports() -> None:
    Worker.objects.create(
        name="idle", incarnation=new_id(), queues=["default"], types=["testing.work"],
        slots=8, seen_at=Now() + timedelta(hours=1),
    )  # fmt: skip


def _stand_at_the_head(arena: Arena, number: int) -> None:
    with unchecked() as cursor:
        values = {"tenant": arena.tenant.pk, "number": number, "priority": PRIORITY}
        cursor.execute(_INSERT, values)
        cursor.execute("VACUUM ANALYZE jobs_job")


def _costs_until_found(job: Job) -> list[int]:
    """The buffers of each tick of a new dispatcher, up to the one that finds the job."""
    Leadership.objects.all().delete()
    dispatcher = Dispatcher(current_app, holder="test:0")
    assert dispatcher._leader.take()
    Leadership.objects.update(expires_at=Now() + timedelta(hours=1))
    costs = []
    for _ in range(MOST_TICKS):
        marked, cost = undone(dispatcher._mark)
        costs.append(cost)
        if marked:
            assert [each.id for each in marked] == [job.pk]
            return costs
    raise AssertionError(f"not found in {MOST_TICKS} ticks")
