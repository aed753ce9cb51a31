"""What is learned about a limit key while its jobs run: closed until when, failed how often.

Closed means that no job of the key starts; what was sent of it and not started is taken back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from jobs import nudge
from jobs.lifecycle.statement import bound_waits
from jobs.models import Job
from jobs.policies import in_flight
from jobs.policies.changes import changing
from jobs.policies.circuit import Circuit
from jobs.priorities import HIGHEST

LONGEST_SECONDS = 86_400.0


class _Key(NamedTuple):
    """One tenant's, and when the attempt that tells of it began."""

    tenant: int
    key: str
    started_at: datetime | None

    @property
    def jobs(self) -> Q:
        return Q(tenant=self.tenant, limit_key=self.key)


# Raw SQL: the greater of what stands there and what is new, in one statement by the database's
# clock, is more than the ORM's upsert can say.
_CLOSE = """
    INSERT INTO jobs_keystate AS state (tenant_id, key, closed_until, reason, failures)
    VALUES (%(tenant)s, %(key)s, clock_timestamp() + %(seconds)s * interval '1 second',
            %(reason)s, 0)
    ON CONFLICT (tenant_id, key) DO UPDATE
       SET reason = CASE WHEN COALESCE(state.closed_until < EXCLUDED.closed_until, true)
                         THEN EXCLUDED.reason ELSE state.reason END,
           closed_until = GREATEST(state.closed_until, EXCLUDED.closed_until)
    RETURNING closed_until
"""


def close(job_id: UUID, *, key: str | None, seconds: float) -> datetime | None:
    """No job of the key starts for so long; an end that is later already stays. `key` None: the
    job's own; a job without one closes nothing. Returns until when the key is closed."""
    found = _key_of(job_id, key)
    if found is None:
        return None
    given = {"seconds": min(seconds, LONGEST_SECONDS), "reason": f"job {job_id} was told to wait"}
    with _waiting_shortly():
        ((until,),) = _run(_CLOSE, found, **given)
        in_flight.withdraw(found.jobs)
    return until  # type: ignore[no-any-return]  # a row of the database


# Counted by itself: below the threshold a failure changes no policy. While the breaker is closed,
# `closed_until` is no earlier than the last failure, so that retention can tell old counts; what
# has lapsed begins anew.
_LAPSED = """(state.opened_at IS NOT NULL
              AND state.closed_until <= clock_timestamp() - interval '1 day')"""
_COUNT = f"""
    INSERT INTO jobs_keystate AS state (tenant_id, key, failures, reason, closed_until)
    VALUES (%(tenant)s, %(key)s, 1, '', clock_timestamp())
    ON CONFLICT (tenant_id, key) DO UPDATE
       SET failures = CASE WHEN {_LAPSED} THEN 1 ELSE state.failures + 1 END,
           opened_at = CASE WHEN {_LAPSED} THEN NULL ELSE state.opened_at END,
           closed_until = CASE WHEN state.opened_at IS NULL OR {_LAPSED}
                               THEN GREATEST(state.closed_until, clock_timestamp())
                               ELSE state.closed_until END
    RETURNING failures, opened_at IS NOT NULL, COALESCE(closed_until <= %(started_at)s, false)
"""  # noqa: S608 (constants of this module; values travel as parameters)
_OPEN = """
    UPDATE jobs_keystate
       SET opened_at = COALESCE(opened_at, clock_timestamp()),
           closed_until = GREATEST(closed_until,
                                   clock_timestamp() + %(seconds)s * interval '1 second'),
           reason = %(reason)s
     WHERE tenant_id = %(tenant)s AND key = %(key)s
       AND (opened_at IS NULL OR closed_until <= %(started_at)s)
    RETURNING id
"""


def failed(job_id: UUID, circuit: Circuit) -> bool:
    """Count a failure of the job's key; True where that opened its circuit breaker, or opened it
    anew after a probe: an attempt that began when the key was open again. What ran already when
    it opened, and fails later, prolongs nothing."""
    found = _key_of(job_id, None)
    if found is None:
        return False
    ((failures, is_open, is_after),) = _run(_COUNT, found)
    was_a_probe = is_open and is_after
    if not was_a_probe and (is_open or failures < circuit.failures):
        return False
    reason = f"{failures} failures in a row, the last of job {job_id}"
    with _waiting_shortly():
        opened = bool(_run(_OPEN, found, seconds=circuit.open_seconds, reason=reason))
        in_flight.withdraw(found.jobs)
    return opened


# One statement where there is nothing to clear, which is nearly always. Of a key that was closed
# since the attempt began it says nothing.
_FORGET = """
    UPDATE jobs_keystate AS state SET failures = 0
      FROM jobs_job AS job
     WHERE job.id = %(job)s AND job.limit_key <> ''
       AND state.tenant_id = job.tenant_id AND state.key = job.limit_key
       AND (state.opened_at IS NULL AND state.failures > 0
            OR state.opened_at IS NOT NULL AND state.closed_until <= job.started_at)
    RETURNING state.tenant_id, state.key, job.started_at, state.opened_at IS NOT NULL
"""
_CLEAR = """
    UPDATE jobs_keystate SET opened_at = NULL, failures = 0
     WHERE tenant_id = %(tenant)s AND key = %(key)s AND opened_at IS NOT NULL
       AND closed_until <= %(started_at)s
    RETURNING id
"""


def succeeded(job_id: UUID) -> bool:
    """Failures in a row end here; True where that closed the key's circuit breaker again, which
    only a probe does."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"job": job_id})
        rows = cursor.fetchall()
    for tenant, key, started_at, is_open in rows:
        if is_open:
            with _waiting_shortly():
                cleared = _run(_CLEAR, _Key(tenant, key, started_at))
                transaction.on_commit(lambda: nudge.work_waits(HIGHEST))
            return bool(cleared)
    return False


def _key_of(job_id: UUID, key: str | None) -> _Key | None:
    columns = ("tenant_id", "limit_key", "started_at")
    row = Job.objects.filter(pk=job_id).values_list(*columns).first()
    if row is None:
        return None
    tenant, own, started_at = row
    chosen = own if key is None else key
    return _Key(tenant, chosen, started_at) if chosen else None


@contextmanager
def _waiting_shortly() -> Iterator[None]:
    """A change of policy that fails rather than keep a worker's slot waiting for the leader."""
    with transaction.atomic():
        bound_waits()
        with changing():
            yield


def _run(statement: str, key: _Key, **parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, key._asdict() | parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
