"""Whose a unique key is, and taking turns about it.

A key is held by an active job, which the unique index guards; and where a time was given, until
`unique_until` by a completed one as well. Then the index is no guard: between the look and the
write another job of the key may have come, run and completed. So requests take turns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID
from zlib import crc32

from jobs.lifecycle.statement import run

_LOCKS = 0x756E6971  # of all advisory locks those of unique keys
# Ten thousand keys share so many locks of a tenant's type: the server's table of locks is small.
_STRIPES = 64

Key = tuple[int, str, str]  # tenant, type, unique key

_LOCK = "SELECT pg_advisory_xact_lock(%(locks)s, place) FROM unnest(%(places)s::int[]) AS place"
_KEYS = """
    SELECT DISTINCT tenant_id, type, COALESCE(%(key)s, unique_key) FROM jobs_job
     WHERE id = ANY(%(ids)s) AND COALESCE(%(key)s, unique_key) <> ''
"""
HOLDS = """(holder.status IN ('blocked', 'processing', 'queued', 'scheduled')
        OR holder.status = 'completed' AND holder.unique_until > statement_timestamp())"""
_TAKEN = f"""
    SELECT job.id FROM jobs_job AS job
     WHERE job.id = ANY(%(ids)s) AND job.status::text = ANY(%(statuses)s) AND EXISTS (
        SELECT FROM jobs_job AS holder
         WHERE holder.tenant_id = job.tenant_id AND holder.type = job.type AND holder.id <> job.id
           AND holder.unique_key = COALESCE(%(key)s, job.unique_key) AND holder.unique_key <> ''
           AND {HOLDS})
"""  # noqa: S608 (constants of this module; values travel as parameters)


def lock(keys: Iterable[Key]) -> None:
    """Wait until every other transaction that takes one of these keys has ended. All keys of a
    call at once: their locks are taken in one order, so nobody waits in a circle."""
    if places := sorted({_place(*key) for key in keys}):
        run(_LOCK, locks=_LOCKS, places=places)


def lock_of(ids: Sequence[UUID], key: str | None = None) -> None:
    """As `lock`, for the keys that these jobs have, or the one that they are to get."""
    lock((tenant, kind, name) for tenant, kind, name in run(_KEYS, ids=list(ids), key=key))


def taken(ids: Sequence[UUID], statuses: Iterable[str], key: str | None = None) -> set[UUID]:
    """Those of these jobs, in such a status, whose key (or this one) another job holds."""
    rows = run(_TAKEN, ids=list(ids), statuses=[str(one) for one in statuses], key=key)
    return {row[0] for row in rows}


def _place(tenant_id: int, type_name: str, key: str) -> int:
    stripe = crc32(key.encode()) % _STRIPES
    return crc32(f"{tenant_id}:{type_name}:{stripe}".encode()) - 2**31
