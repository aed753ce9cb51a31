"""The one shape in which a job's status is written: a guarded UPDATE that returns what it moved.

SQL rather than the ORM, for two reasons: the ORM has no UPDATE … RETURNING, and a transition must
know the rows it won without a second look; and compiling such an expression costs the ORM more
time than the database needs to run it, on the path of every job.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from psycopg.types.json import Jsonb

from jobs.states import TRANSITIONS, Status


class Move(NamedTuple):
    """A job as a transition left it."""

    id: UUID
    tenant_id: int
    type: str
    queue: str
    status: Status
    priority: int
    fence: int
    run: int
    attempt: int
    retry_count: int
    crash_count: int
    worker: str
    started_at: datetime | None
    moved_at: datetime
    duration: float | None
    has_dependants: bool
    batch_id: UUID | None = None
    listening: UUID | None = None  # of its tenant; None: nobody there listens to events
    has_webhook: bool = False  # a URL of its own
    was: Status | None = None  # the final status that it left

    @property
    def is_heard(self) -> bool:
        """Whether somebody outside is to be told of it."""
        return self.listening is not None or self.has_webhook

    @property
    def held_fence(self) -> int:
        """The fence of the attempt that just ended: leaving `processing` adds one."""
        return self.fence - 1


LISTENING = "(SELECT listening FROM accounts_tenant WHERE id = job.tenant_id)"
HAS_DEPENDANTS = """EXISTS (
    SELECT 1 FROM jobs_dependency edge
     WHERE edge.depends_on_id = job.id AND edge.settled_at IS NULL)"""
_MOVED = """
    job.id, job.tenant_id, job.type, job.queue, job.status, job.priority, job.fence, job.run,
    job.attempt, job.retry_count, job.crash_count, job.worker, job.started_at, job.updated_at,
    job.actual_duration_seconds"""
_RETURNING = f"{_MOVED}, {HAS_DEPENDANTS}, job.batch_id, {LISTENING}, job.webhook_url <> ''"
# Of a job with nobody around it: what its statement has looked for in vain is not looked for again.
RETURNING_ALONE = f"{_MOVED}, false, NULL::uuid, NULL::uuid, false"
ALONE = f"""job.batch_id IS NULL AND job.webhook_url = '' AND {LISTENING} IS NULL
            AND NOT {HAS_DEPENDANTS}"""

ONE = "job.id = %(id)s"
HELD = "job.id = %(id)s AND job.fence = %(fence)s"
NAMED = """(job.id, job.fence) IN (
    SELECT id, fence FROM unnest(%(ids)s::uuid[], %(fences)s::bigint[]) AS named(id, fence))"""


def moving(
    transition: str, *, sets: str, where: str, returning: str = _RETURNING, beside: str = ""
) -> str:
    """SQL of a transition for the rows that `where` selects and whose status allows it. `beside`
    is a FROM, of a table that is read along."""
    sources = ", ".join(f"'{status.value}'" for status in sorted(TRANSITIONS[transition].sources))
    return f"""
        UPDATE jobs_job AS job SET {sets}, updated_at = clock_timestamp() {beside}
         WHERE {where} AND job.status IN ({sources})
        RETURNING {returning}
    """  # noqa: S608 (constants of this package; values travel as parameters)


def reading(where: str) -> str:
    """SQL that reads jobs as a transition would have returned them."""
    return f"SELECT {_RETURNING} FROM jobs_job AS job WHERE {where}"  # noqa: S608


def locked(where: str, *, limit: str = "", skip: bool = False) -> str:
    """A condition that locks its rows in id order first, so that two writers of many rows never
    wait for each other in a circle.

    An array, because it is computed once; `IN (SELECT …)` may be planned as the inner side of a
    loop, and then locks anew, past its limit, for each row of the outer one.
    """
    return f"""job.id = ANY (ARRAY(
        SELECT id FROM jobs_job AS job WHERE {where} ORDER BY id {limit}
           FOR NO KEY UPDATE {"SKIP LOCKED" if skip else ""}))
    """  # noqa: S608


def run(statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def change(statement: str, **parameters: Any) -> None:
    """A statement that returns nothing."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def bound_waits() -> None:
    """Bound what this transaction may wait for, in one round trip.

    A lock for two seconds: then it fails with OperationalError and may be tried again, so that one
    row that somebody holds does not stop whoever has other jobs to look after. The server ends the
    transaction should the process be frozen in it: the rows that it holds locked could not be
    rescued until then.
    """
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT set_config('lock_timeout', '2s', true),
                   set_config('idle_in_transaction_session_timeout', '5s', true)
        """)


def move(statement: str, **parameters: Any) -> list[Move]:
    return [Move(*row)._replace(status=Status(row[4])) for row in run(statement, **parameters)]


def json(value: Mapping[str, Any] | list[Any] | str | float | bool | None) -> Jsonb | None:
    """A value for a jsonb column; None is SQL's NULL."""
    return None if value is None else Jsonb(value)
