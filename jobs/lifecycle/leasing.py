"""Transitions of an attempt that holds its job: claim, renewal, progress.

Each names the job with the attempt's fence. Who lost the fence moves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from json import loads
from typing import Any
from uuid import UUID

from django.db import transaction

from jobs.exceptions import AttemptLost
from jobs.lifecycle.announcing import send
from jobs.lifecycle.statement import (
    HELD,
    NAMED,
    ONE,
    locked,
    move,
    moving,
    reading,
    run,
)
from jobs.live import telling
from jobs.message import FencedJob
from jobs.models import Job
from jobs.signals import job_moved


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimedJob:
    """What an attempt needs to run, as the claim read it."""

    id: UUID
    fence: int
    type: str
    tenant: str
    owner: str
    payload: dict[str, Any]
    labels: dict[str, str]
    attempt: int
    run: int
    retry_count: int
    max_retries: int
    retry_backoff: dict[str, Any] | None
    timeout_seconds: int
    started_at: datetime
    workflow_id: UUID | None = None
    tenant_id: int = 0
    scheduled_for: datetime | None = None

    @property
    def held(self) -> FencedJob:
        return FencedJob(self.id, self.fence)


_FIELDS = tuple(ClaimedJob.__dataclass_fields__)
_COLUMNS = """job.id, job.fence, job.type, tenant.slug, job.owner, job.payload, job.labels,
    job.attempt, job.run, job.retry_count, job.max_retries, job.retry_backoff,
    job.timeout_seconds, job.started_at, job.workflow_id, job.tenant_id, job.scheduled_for"""
_TENANT = "FROM accounts_tenant AS tenant"

# A job that was taken from a worker by force keeps its old lease until it ends: two attempts
# never overlap.
_CLAIMING = partial(
    moving,
    "claim",
    sets="""status = 'processing', attempt = job.attempt + 1, dispatched_at = NULL,
            started_at = clock_timestamp(), worker = %(worker)s, incarnation = %(incarnation)s,
            claim_id = %(claim_id)s,
            lease_expires_at = clock_timestamp() + %(lease)s * interval '1 second',
            progress = 0, progress_message = '', error = NULL""",
    returning=_COLUMNS,
    beside=_TENANT,
)
_CLAIMABLE = (
    HELD
    + """ AND tenant.id = job.tenant_id AND job.dispatched_at IS NOT NULL
          AND (job.lease_expires_at IS NULL OR job.lease_expires_at <= clock_timestamp())
          AND (job.expires_at IS NULL OR job.expires_at > clock_timestamp())"""
)
_CLAIM = _CLAIMING(where=_CLAIMABLE)
# One statement and one round trip, where nobody listens to the job's tenant.
_CLAIM_ALONE = _CLAIMING(where=f"{_CLAIMABLE} AND tenant.listening IS NULL")


def claim(
    sent: FencedJob,
    *,
    worker: str,
    incarnation: UUID,
    lease_seconds: float,
    claim_id: UUID | None = None,
) -> ClaimedJob | None:
    """Start an attempt, or None: the message was a duplicate, withdrawn, stale or forged.

    `claim_id` is new for each message taken; with it `claimed_before` knows this claim again.
    """
    parameters = {
        "id": sent.id,
        "fence": sent.fence,
        "worker": worker,
        "incarnation": incarnation,
        "lease": lease_seconds,
        "claim_id": claim_id,
    }
    alone = not job_moved.has_listeners(Job)
    rows = (alone and run(_CLAIM_ALONE, **parameters)) or _claim_and_tell(parameters)
    if not rows:
        return None
    claimed = _claimed(rows[0])
    telling.started(claimed.tenant_id, claimed.id, claimed.type, claimed.started_at)
    return claimed


_AS_IT_IS = reading(ONE)


def _claim_and_tell(parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The claim where somebody listens: then it is not alone in its transaction."""
    with transaction.atomic():
        rows = run(_CLAIM, **parameters)
        if rows:
            send(move(_AS_IT_IS, id=parameters["id"]), "claim")
    return rows


_CLAIMED_BEFORE = f"""
    SELECT {_COLUMNS}
      {_TENANT} JOIN jobs_job AS job ON tenant.id = job.tenant_id
     WHERE job.id = %(id)s AND job.fence = %(fence)s AND job.status = 'processing'
       AND job.claim_id = %(claim_id)s AND job.lease_expires_at > clock_timestamp()
"""


def claimed_before(sent: FencedJob, *, claim_id: UUID) -> ClaimedJob | None:
    """The very claim whose answer the caller never read (a lost COMMIT).

    Not any claim of the same worker: a message can reach two of its children.
    """
    rows = run(_CLAIMED_BEFORE, id=sent.id, fence=sent.fence, claim_id=claim_id)
    return _claimed(rows[0]) if rows else None


def _claimed(row: tuple[Any, ...]) -> ClaimedJob:
    values = dict(zip(_FIELDS, row, strict=True))
    for name in ("payload", "labels", "retry_backoff"):  # Django hands raw jsonb out as text
        values[name] = loads(values[name]) if values[name] is not None else None
    return ClaimedJob(**values)


_RENEW = moving(
    "renew",
    sets="lease_expires_at = clock_timestamp() + %(lease)s * interval '1 second'",
    where=f"{NAMED} AND " + locked("job.id = ANY(%(ids)s)", skip=True),
    returning="job.id, job.fence",
)
_STILL_HELD = f"""
    SELECT job.id, job.fence FROM jobs_job AS job WHERE job.status = 'processing' AND {NAMED}
"""  # noqa: S608 (as in `moving`)


@dataclass(frozen=True, kw_only=True)
class Renewal:
    renewed: frozenset[FencedJob]
    skipped: frozenset[FencedJob]  # somebody holds the row locked: ask again at once
    lost: frozenset[FencedJob]  # the attempt is over for us


def renew(held: Sequence[FencedJob], *, lease_seconds: float) -> Renewal:
    """Extend the leases of all given attempts in one statement.

    A row that is locked by somebody else is skipped, never waited for: it must not cost the
    other attempts their leases.
    """
    names = {"ids": [job.id for job in held], "fences": [job.fence for job in held]}
    renewed = {FencedJob(*row) for row in run(_RENEW, lease=lease_seconds, **names)}
    rest = set(held) - renewed
    still = {FencedJob(*row) for row in run(_STILL_HELD, **names)} if rest else set()
    return Renewal(
        renewed=frozenset(renewed), skipped=frozenset(rest & still), lost=frozenset(rest - still)
    )


# Progress may be lost in a crash of the database, so its commit need not wait for the disk.
_PROGRESS = moving(
    "progress",
    sets="progress = %(percent)s, progress_message = %(message)s",
    where=HELD + " AND (SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL",
    returning="job.cancel_requested_at IS NOT NULL, job.tenant_id, job.type, job.updated_at",
)


def progress(held: FencedJob, *, percent: int, message: str) -> bool:
    """Write progress; returns whether somebody asked to cancel the job."""
    rows = run(_PROGRESS, id=held.id, fence=held.fence, percent=percent, message=message)
    if not rows:
        raise AttemptLost(job_id=held.id, fence=held.fence)
    cancel_requested, tenant_id, job_type, at = rows[0]
    telling.progressed(tenant_id, held.id, job_type, at)
    return bool(cancel_requested)
