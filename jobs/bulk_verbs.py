"""The verbs that can be done to many jobs at once, each by one statement for all where the engine
has one. `jobs.bulk` chooses and locks the jobs."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.models import Tenant
from jobs import lifecycle, operations, registry
from jobs.bulk import CONFLICT, FILE_GONE, KEY_TAKEN, Act, Result, Verb
from jobs.exceptions import TransitionRefused, UniqueKeyTaken, UnknownJobType
from jobs.lifecycle import Move
from jobs.models import Job
from jobs.operations import Actor
from jobs.states import TRANSITIONS, WAITING, Status


def cancel(by: Actor) -> Verb:
    return Verb(
        name="cancel",
        sources=TRANSITIONS["cancel"].sources,
        fits=Q(cancel_requested_at=None),
        act=lambda jobs: _told(jobs, lifecycle.cancel_all(_ids(jobs), by=by.name)),
    )


def retry() -> Verb:
    return Verb(
        name="retry",
        sources=TRANSITIONS["revive"].sources,
        fits=Q(discarded_at=None),
        act=_run_again,
    )


def discard() -> Verb:
    return Verb(
        name="discard",
        sources=TRANSITIONS["discard"].sources,
        fits=Q(discarded_at=None),
        act=lambda jobs: _told(jobs, lifecycle.discard_all(_ids(jobs))),
    )


def boost(tenant: Tenant, *, amount: int) -> Verb:
    """At most to what the tenant's plan allows."""
    highest = tenant.plan.highest_priority
    return Verb(
        name="boost",
        sources=TRANSITIONS["boost"].sources,
        fits=Q(priority__lt=highest),
        act=lambda jobs: _told(jobs, lifecycle.boost_all(_ids(jobs), by=amount, highest=highest)),
    )


def set_status(status: Status, by: Actor) -> Verb:
    """For stuck jobs: put running ones back or end them, end waiting ones, run ended ones again.
    Raises KeyError for a status that cannot be set."""
    ways = _WAYS[status](by)

    def act(jobs: Sequence[Job]) -> list[Result]:
        results: list[Result] = []
        for sources, way in ways:
            results += way([job for job in jobs if job.status in sources])
        return results

    return Verb(name="status", sources=frozenset().union(*(one for one, _ in ways)), act=act)


Ways = Sequence[tuple[frozenset[Status], Act]]
_RUNNING = frozenset({Status.PROCESSING})


def _to_queued(by: Actor) -> Ways:
    error = operations.put_back_by(by)
    return [
        (_RUNNING, lambda jobs: _told(jobs, lifecycle.force_queue_all(_ids(jobs), error=error))),
        (TRANSITIONS["revive"].sources, _run_again),
    ]


def _to_failed(by: Actor) -> Ways:
    error = operations.given_up_by(by)
    return [
        (
            _RUNNING | WAITING,
            lambda jobs: _told(jobs, lifecycle.force_fail_all(_ids(jobs), error=error)),
        )
    ]


def _to_cancelled(by: Actor) -> Ways:
    return [(WAITING, cancel(by).act)]


_WAYS = {Status.QUEUED: _to_queued, Status.FAILED: _to_failed, Status.CANCELLED: _to_cancelled}


def _ids(jobs: Sequence[Job]) -> list[UUID]:
    return [job.pk for job in jobs]


def _told(jobs: Sequence[Job], moves: Sequence[Move], otherwise: str = CONFLICT) -> list[Result]:
    """The status of those that were moved, for the others the reason."""
    now = {moved.id: moved.status for moved in moves}
    return [
        Result(job_id=job.pk, status=now[job.pk])
        if job.pk in now
        else Result(job_id=job.pk, status=Status(job.status), error=otherwise)
        for job in jobs
    ]


def _run_again(jobs: Sequence[Job]) -> list[Result]:
    """Those that may name files by themselves: each file must be there and is kept for it."""
    plain = [job for job in jobs if not _takes_files(job)]
    behind = lifecycle.behind(_ids(plain)) if plain else set()
    free = [job for job in plain if job.pk not in behind]
    results = _told([job for job in plain if job.pk in behind], [])
    results += _told(free, lifecycle.revive_all(_ids(free)), KEY_TAKEN) if free else []
    return results + [_run_one_again(job) for job in jobs if _takes_files(job)]


def _takes_files(job: Job) -> bool:
    try:
        return registry.get(job.type).takes_files
    except UnknownJobType:
        return False


def _run_one_again(job: Job) -> Result:
    try:
        with transaction.atomic():
            operations.run_again(job)
    except UniqueKeyTaken:
        return Result(job_id=job.pk, status=Status(job.status), error=KEY_TAKEN)
    except TransitionRefused:
        return Result(job_id=job.pk, status=Status(job.status), error=FILE_GONE)
    return Result(job_id=job.pk, status=Status.QUEUED)
