"""Verbs over many jobs: chosen by their ids, by a filter, or as a group of dead letters.

A call looks at no more than `MOST` jobs and says whether there are more. They are locked in the
order of their ids, moved by one statement for each `CHUNK`, and written down in one audit entry,
all in one transaction. What refuses one job stops no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import audit
from accounts.models import Tenant
from jobs import failures
from jobs.models import Job
from jobs.operations import Actor
from jobs.states import Status

MOST, CHUNK = 1_000, 500
NOT_FOUND, CONFLICT, KEY_TAKEN, FILE_GONE = (
    "not_found", "conflict", "unique_key_taken", "file_gone",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one job: its status now, or before a change that is only tried."""

    job_id: UUID
    status: Status | None
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Done:
    """`matched`: jobs that were found; `changed`: those that were moved. `more`: there are others
    beyond `MOST`."""

    matched: int
    changed: int
    results: Sequence[Result]
    more: bool = False


Act = Callable[[Sequence[Job]], Sequence[Result]]


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One of `jobs.bulk_verbs`. `act` tries it on locked jobs whose status is one of `sources`; a
    filter finds those alone which `fits` says have a use for it."""

    name: str
    sources: frozenset[Status]
    act: Act
    fits: Q = field(default_factory=Q)

    @property
    def chosen(self) -> Q:
        return Q(status__in=sorted(self.sources)) & self.fits


@dataclass(frozen=True, kw_only=True)
class Call:
    """Who asks, about whose jobs. `rows` are those in reach; `dry_run` changes nothing."""

    rows: QuerySet[Job]
    tenant: Tenant
    by: Actor
    dry_run: bool = False


def by_ids(verb: Verb, ids: Sequence[UUID], call: Call) -> Done:
    """At most `MOST` ids. One that is not among the rows is told as not found."""
    asked = list(dict.fromkeys(ids))
    with transaction.atomic():
        rows = _locked(call.rows.filter(pk__in=asked).order_by("pk"), call)
        found = _attempted(verb, list(rows), call)
        told = {one.job_id: one for one in found}
        results = [told.get(pk) or Result(job_id=pk, status=None, error=NOT_FOUND) for pk in asked]
        return _done(results, call, f"job.bulk-{verb.name}", "jobs", "by id", matched=len(found))


def by_filter(verb: Verb, wanted: Q, call: Call, *, told: Mapping[str, Any]) -> Done:
    """The jobs that fit the filter and have a use for the verb; `told` is the filter as the audit
    trail keeps it. Discarded jobs are run again by their ids only."""
    action = f"job.bulk-{verb.name}"
    return _some(verb, call.rows.filter(wanted), call, action, "jobs", "by filter", told)


def group(verb: Verb, name: str, call: Call) -> Done:
    """The dead letters of the tenant that have this fingerprint."""
    fingerprint = failures.column_of(name)
    rows = failures.dead_letters(fingerprint, call.rows).filter(tenant=call.tenant)
    action = f"failure.{verb.name}"
    return _some(verb, rows.order_by("-seq"), call, action, "failure", name, {})


def whole_group(verb: Verb, name: str, call: Call, *, calls: int) -> Iterator[Done]:
    """One call after the other, at most so many, until the group is done or one changes nothing."""
    for _ in range(calls):
        done = group(verb, name, call)
        yield done
        if not (done.more and done.changed):
            return


def _some(
    verb: Verb,
    rows: QuerySet[Job],
    call: Call,
    action: str,
    kind: str,
    name: str,
    told: Mapping[str, Any],
) -> Done:
    """Jobs that somebody holds locked at this moment are left for the next call."""
    with transaction.atomic():
        jobs = list(_locked(rows.filter(verb.chosen), call, skip=True)[: MOST + 1])
        results = _attempted(verb, sorted(jobs[:MOST], key=lambda job: job.pk), call)
        return _done(
            results,
            call,
            action,
            kind,
            name,
            matched=len(results),
            more=len(jobs) > MOST,
            told=told,
        )


_NEEDED = ("tenant", "type", "status")


def _locked(rows: QuerySet[Job], call: Call, *, skip: bool = False) -> QuerySet[Job]:
    rows = rows.only(*_NEEDED)
    return rows if call.dry_run else rows.select_for_update(no_key=True, skip_locked=skip)


def _attempted(verb: Verb, jobs: Sequence[Job], call: Call) -> list[Result]:
    """In the order of the jobs, each of which is locked."""
    told: dict[UUID, Result] = {}
    for job in jobs:
        error = None if job.status in verb.sources else CONFLICT
        told[job.pk] = Result(job_id=job.pk, status=Status(job.status), error=error)
    if not call.dry_run:
        able = [job for job in jobs if told[job.pk].error is None]
        for chunk in _chunks(able):
            told.update((one.job_id, one) for one in verb.act(chunk))
    return list(told.values())


def _chunks(jobs: Sequence[Job]) -> Iterator[Sequence[Job]]:
    for start in range(0, len(jobs), CHUNK):
        yield jobs[start : start + CHUNK]


def _done(
    results: Sequence[Result],
    call: Call,
    action: str,
    kind: str,
    name: str,
    *,
    matched: int,
    more: bool = False,
    told: Mapping[str, Any] | None = None,
) -> Done:
    moved = [] if call.dry_run else [str(one.job_id) for one in results if one.error is None]
    if moved:
        audit.record(
            actor=call.by.name,
            action=action,
            object_type=kind,
            object_id=name,
            tenant=call.tenant,
            address=call.by.address,
            after={**(told or {}), "matched": matched, "changed": len(moved), "job_ids": moved},
        )
    return Done(matched=matched, changed=len(moved), results=results, more=more)
