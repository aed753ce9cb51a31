"""However many jobs wait, the broker stays shallow and a tick stays cheap."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from celery import current_app
from django.db import connection, transaction
from django.utils import timezone

from jobs.dispatcher.loop import Dispatcher
from jobs.dispatcher.window import FLOOR_SECONDS, HORIZON_SECONDS
from jobs.models import Job, Worker
from jobs.priorities import Level
from tests.support.arena import SLOTS, Arena, leader_pid
from tests.support.waiting import wait_for

FEW, MANY = 1_000, 100_000
WINDOW = SLOTS + SLOTS * HORIZON_SECONDS / FLOOR_SECONDS
SAMPLES, COMPLETED = 200, 100  # at the least

_INSERT = """
    INSERT INTO jobs_job (id, tenant_id, type, queue, status, priority, base_priority, payload,
        labels, owner, unique_key, created_by, fence, run, attempt, retry_count, crash_count,
        max_retries, timeout_seconds, worker, progress, progress_message, cancelled_by)
    SELECT gen_random_uuid(), %(tenant)s, 'testing.work', 'default', 'queued', n %% 101, n %% 101,
           '{}', '{}', '', '', '', 0, 1, 0, 0, 0, 3, 600, '', 0, '', ''
      FROM generate_series(1, %(number)s) AS n
"""


def test_the_broker_never_holds_more_than_the_window(arena: Arena) -> None:
    """Looked at again and again, until enough jobs ran meanwhile."""
    _insert(arena, MANY)
    dispatcher = arena.dispatcher()
    arena.worker()
    wait_for(lambda: leader_pid() == dispatcher.pid, seconds=60, what="it leads")
    lists = [f"default.{level}" for level in Level]
    completed = Job.objects.filter(status="completed")
    depths = []
    with arena.redis() as client:

        def sample() -> bool:
            depths.append(sum(client.llen(name) for name in lists))
            return len(depths) >= SAMPLES and completed.count() > COMPLETED

        wait_for(sample, seconds=120, what="enough samples, and enough that ran", every=0.02)
    assert max(depths) > 0
    assert max(depths) <= WINDOW
    assert Job.objects.in_flight().count() <= WINDOW


def test_a_tick_costs_no_more_with_a_hundred_thousand_waiting(arena: Arena) -> None:
    Worker.objects.create(
        name="idle", incarnation=uuid4(), queues=["default"], types=["testing.work"],
        slots=8, seen_at=timezone.now(),
    )  # fmt: skip
    _insert(arena, FEW)
    few = _buffers_of_a_tick()
    _insert(arena, MANY - FEW)
    many = _buffers_of_a_tick()
    assert few > 0
    assert many <= 2 * few, f"{many} buffers with {MANY} waiting, {few} with {FEW}"


def _insert(arena: Arena, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, {"tenant": arena.tenant.pk, "number": number})
        cursor.execute("VACUUM ANALYZE jobs_job")


def _buffers_of_a_tick() -> int:
    """What all statements of a dispatcher's tick touch together; nothing of it is kept."""
    statements: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        statements.append((sql, parameters))
        return execute(sql, parameters, many, context)

    Worker.objects.update(seen_at=timezone.now())  # inserting may have taken longer than it lives
    dispatcher = Dispatcher(current_app, holder="test:0")
    with transaction.atomic():
        with connection.execute_wrapper(note):
            dispatcher._leader.take()
            assert dispatcher._mark()
        transaction.set_rollback(True)
    return sum(_buffers(sql, parameters) for sql, parameters in statements)


def _buffers(sql: str, parameters: Any) -> int:
    if sql.split(maxsplit=1)[0].upper() not in ("SELECT", "UPDATE", "INSERT", "WITH"):
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", parameters)
        row = cursor.fetchone()
        transaction.set_rollback(True)
    assert row is not None
    told = json.loads(row[0]) if isinstance(row[0], str) else row[0]
    plan = told[0]["Plan"]
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])
