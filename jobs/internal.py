"""The platform's own jobs: how they are handed in, and nobody else's way to ask for one.

A type declared `internal` does not exist for programs. Its jobs belong to the tenant that the
platform has beside the one it works for (`accounts.tenants.platform_of`), so they are in no list
and no figure of anybody's, and count against no quota; all else about them is as of any job.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from accounts.models import Tenant
from accounts.tenants import platform_of
from jobs import registry
from jobs.enqueue import JobRequest, insert_prepared, known_of, prepared
from jobs.models import Job


def hand_in(
    tenant: Tenant | int, requests: Sequence[JobRequest], *, ids: Sequence[UUID] = ()
) -> list[Job]:
    """Hand in the platform's own jobs for this tenant (or the tenant of this key), in the caller's
    transaction: all of them, with one INSERT, in their order. They may depend on others of the
    platform's own for the same tenant, and have any priority, whatever the tenant's plan says.
    `ids`, where given, are the new ids that they get: so one may depend on one before it here.

    It may be called by who is told of a change of a job, in the transaction of that change: it
    changes no job that anybody else sees. Raises ValueError for a type that is not internal and
    for a unique key, and what `jobs.enqueue.enqueue` raises; then nothing was written.
    """
    if not requests:
        return []
    _refuse_mistakes(requests)
    ours = platform_of(tenant)
    known = known_of(ours, [request.options for request in requests])
    made: list[tuple[Job, JobRequest]] = []
    for index, request in enumerate(requests):
        job = prepared(ours, request, known=known)
        if ids:
            job.pk = ids[index]
            known.add(job.pk)
        made.append((job, request))
    insert_prepared(made)
    return [job for job, _ in made]


def _refuse_mistakes(requests: Sequence[JobRequest]) -> None:
    for request in requests:
        kind = registry.get(request.type_name)
        if not kind.internal:
            raise ValueError(f"{request.type_name} is a type that anybody may ask for")
        if request.options.unique_key or kind.unique_key is not None:
            raise ValueError(f"{request.type_name}: the platform's own jobs have no unique keys")
