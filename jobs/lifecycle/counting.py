"""The counters of batches, and the jobs that follow from them.

The last statement of the transaction that ends a job, or brings it back, moves the counters of
its batch. So they never differ from what the jobs say, and of two jobs that end at the same
moment the second sees that it is the last one. Locks are taken in this order by everybody: jobs,
their dependants, batches; batches by id.

The weak spot: the jobs of one batch end one after the other for the length of a commit, since
each of them holds the batch's row until then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from jobs.lifecycle.insertion import insert
from jobs.lifecycle.statement import Move, json, run
from jobs.live import telling
from jobs.models import Batch, Job
from jobs.models.job import UNIQUE_KEY_INDEX
from jobs.signals import happened
from jobs.states import FINAL, TRANSITIONS, Status

Change = tuple[UUID, str, int]  # of a batch the counter of a final status, by one up or down


def changes(moves: Iterable[Move], transition: str) -> list[Change]:
    """What a transition means for the counters. One that leaves a job in its final status, as
    discard does, means nothing."""
    sources = TRANSITIONS[transition].sources
    found: list[Change] = []
    for moved in moves:
        if moved.batch_id is None:
            continue
        if moved.status in FINAL:
            if moved.status not in sources:
                found.append((moved.batch_id, moved.status.value, 1))
        elif sources <= FINAL and sources:
            assert moved.was is not None, f"{transition} must say which counter it takes back"
            found.append((moved.batch_id, moved.was.value, -1))
    return found


_ENDED = "batch.completed + batch.failed + batch.cancelled"
_DUE = """
    batch.id, batch.tenant_id, batch.finished_at,
    batch.finished_at IS NOT NULL AND batch.on_complete IS NOT NULL
        AND batch.on_complete_job IS NULL,
    batch.failed > 0 AND batch.on_failure IS NOT NULL AND batch.on_failure_job IS NULL,
    (SELECT listening IS NOT NULL FROM accounts_tenant WHERE id = batch.tenant_id)
"""
_COUNT = f"""
    UPDATE jobs_batch AS batch
       SET completed = batch.completed + change.completed,
           failed = batch.failed + change.failed,
           cancelled = batch.cancelled + change.cancelled,
           finished_at = CASE
               WHEN {_ENDED} + change.completed + change.failed + change.cancelled = batch.total
               THEN COALESCE(batch.finished_at, clock_timestamp()) END
      FROM jsonb_to_recordset(%(changes)s)
        AS change(id uuid, completed integer, failed integer, cancelled integer)
     WHERE batch.id = change.id AND batch.id = ANY (ARRAY(
           SELECT id FROM jobs_batch WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE))
    RETURNING {_DUE}
"""  # noqa: S608 (constants of this module; values travel as parameters)


def count(found: Sequence[Change]) -> list[Move]:
    """Take the changes in. Returns the births of the jobs that a batch hands in because of them."""
    if not found:
        return []
    by_batch: dict[UUID, Counter[str]] = {}
    for batch_id, status, step in found:
        by_batch.setdefault(batch_id, Counter())[status] += step
    rows = [
        {"id": str(batch_id), **{status: counter[status] for status in sorted(FINAL)}}
        for batch_id, counter in by_batch.items()
    ]
    return _fire(run(_COUNT, changes=json(rows), ids=list(by_batch)))


_TOTAL = f"""
    UPDATE jobs_batch AS batch
       SET total = %(total)s,
           finished_at = CASE WHEN {_ENDED} = %(total)s THEN clock_timestamp() END
     WHERE batch.id = %(id)s
    RETURNING {_DUE}
"""  # noqa: S608


def set_total(batch_id: UUID, total: int) -> list[Move]:
    """The batch has so many jobs, none of which has been counted by another transaction yet; they
    may all have ended. Returns as `count` does."""
    return _fire(run(_TOTAL, id=batch_id, total=total))


def _fire(due: Iterable[tuple[UUID, int, datetime | None, bool, bool, bool]]) -> list[Move]:
    """Hand in what the batches wished for, once ever. Their rows are locked."""
    born: list[Move] = []
    for batch_id, tenant_id, finished_at, completed, failed, is_heard in due:
        if finished_at is not None:
            telling.batch_completed(tenant_id, batch_id, finished_at)
        if finished_at is not None and is_heard:
            data = {"batch_id": str(batch_id)}
            happened.send(Batch, event="batch.completed", tenant_id=tenant_id, data=data)
        wanted = ["on_complete"] * completed + ["on_failure"] * failed
        if not wanted:
            continue
        batch = Batch.objects.get(pk=batch_id)
        ids = {}
        for wish in wanted:
            moves, ids[f"{wish}_job"] = _hand_in(_job(batch, getattr(batch, wish)))
            born += moves
        Batch.objects.filter(pk=batch_id).update(**ids)
    return born


_LOCK_TIMEOUT = "SELECT set_config('lock_timeout', %(timeout)s, true)"


def _hand_in(job: Job) -> tuple[list[Move], UUID]:
    """Insert it; or the active job that holds its unique key stands for it.

    Where another transaction takes the key and stays open, nobody knows yet whether there will be
    such a job. The batch, whose row is locked, does not wait for that: what it calls is handed in
    without the key, rather twice than never.
    """
    while job.unique_key:
        try:
            return _insert_shortly(job), job.pk
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            job.unique_key = ""
            break
        except IntegrityError as error:
            if UNIQUE_KEY_INDEX not in str(error):
                raise
        active = Job.objects.active().filter(tenant=job.tenant_id, type=job.type)
        if holder := active.filter(unique_key=job.unique_key).first():
            return [], holder.pk
    return insert([job]), job.pk


def _insert_shortly(job: Job) -> list[Move]:
    """In a savepoint that waits but shortly for whoever takes the unique key."""
    with transaction.atomic():
        ((before,),) = run("SELECT current_setting('lock_timeout')")
        run(_LOCK_TIMEOUT, timeout="200ms")
        moves = insert([job])
        run(_LOCK_TIMEOUT, timeout=before)
    return moves


def _job(batch: Batch, wish: Mapping[str, Any]) -> Job:
    """The row of a job that was decided when the batch was handed in; only its start is not."""
    start = _moment(wish["run_at"]) or timezone.now() + timedelta(seconds=wish["delay_seconds"])
    later = start if start > timezone.now() else None
    return Job(
        **wish["columns"],
        tenant_id=batch.tenant_id,
        status=Status.SCHEDULED if later else Status.QUEUED,
        run_at=_moment(wish["run_at"]) or later,
        visible_at=later,
        expires_at=_moment(wish["expires_at"]),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
