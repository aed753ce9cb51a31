"""Which files a payload names: looked at when a job is handed in, and kept until it has ended.

A job may name files of its own tenant that have not expired; a job of an owner only that owner's.
One transaction locks the files against removal, inserts the job and notes the uses. Whoever
removes a file locks its row first and looks for uses after that; so it is either gone before the
job is accepted, which is then refused, or kept for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from pydantic import ValidationError

from accounts.models import Tenant
from jobs import registry, step_results
from jobs.exceptions import InvalidPayload, UnknownJobType
from jobs.files.input_file import NamedFiles
from jobs.job_type import JobType
from jobs.models import FileUse, Job


def held(type_name: str) -> AbstractContextManager[Any]:
    """A transaction for handing in a job of this type, where it may name files.

    The others need none: one INSERT is their whole transaction.
    """
    return transaction.atomic() if registry.get(type_name).takes_files else nullcontext()


def sealed_payload(
    job_type: JobType[Any, Any], given: Mapping[str, Any], *, tenant: Tenant, owner: str
) -> dict[str, Any]:
    """The payload as it is stored, its files locked until the transaction ends.

    Raises InvalidPayload, also for each file that this job may not name; another tenant's is as
    unknown as one that never was. And PayloadTooLarge.
    """
    named = NamedFiles()
    stored = job_type.validated(given, named)
    if named.ids:
        known = _locked(named.ids, tenant=tenant, owner=owner)
        if known != named.ids:  # validated once more, to learn where the others stand
            return job_type.validated(given, NamedFiles(known=known))
    return stored


def note_uses(jobs: Sequence[Job]) -> None:
    """Keep the files that these jobs name until the jobs have ended."""
    uses = [FileUse(job=job, file_id=file_id) for job in jobs for file_id in _files_of(job)]
    if uses:
        FileUse.objects.bulk_create(uses, ignore_conflicts=True)


def note_uses_anew(job: Job) -> None:
    """The job names other files than before, and keeps those no longer."""
    if registry.get(job.type).takes_files:
        FileUse.objects.filter(job=job).delete()
        note_uses([job])


def still_there(job: Job) -> bool:
    """Whether all files that a stored payload names are there, locked until the transaction ends.

    Their time does not matter, as it does not to a job that waits. A payload that cannot be read
    here, since its type is unknown or has changed, is left to the attempt to judge.
    """
    try:
        wanted = _files_of(job)
    except (UnknownJobType, InvalidPayload, ValidationError):
        return True
    if not wanted:
        return True
    return _run(_LOCK_AT_ALL, ids=list(wanted), tenant=job.tenant_id) == frozenset(wanted)


def _files_of(job: Job) -> Collection[UUID]:
    job_type, payload = registry.get(job.type), job.payload
    if not job_type.takes_files:
        return ()
    if job.workflow_id:  # of the others: what is an earlier step's result can be no file
        job_type, payload, _ = step_results.known_part(job_type, payload)
    return job_type.named_files(payload)


# The ORM has no FOR KEY SHARE, the one lock that jobs which name the same file can hold together.
_LOCK = """
    SELECT id FROM jobs_storedfile
     WHERE id = ANY(%(ids)s) AND tenant_id = %(tenant)s AND expires_at > statement_timestamp()
       AND (%(owner)s = '' OR owner = %(owner)s)
     ORDER BY id FOR KEY SHARE
"""

_LOCK_AT_ALL = """
    SELECT id FROM jobs_storedfile
     WHERE id = ANY(%(ids)s) AND tenant_id = %(tenant)s ORDER BY id FOR KEY SHARE
"""


def _locked(ids: Collection[UUID], *, tenant: Tenant, owner: str) -> frozenset[UUID]:
    return _run(_LOCK, ids=list(ids), tenant=tenant.pk, owner=owner)


def _run(lock: str, **parameters: Any) -> frozenset[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(lock, parameters)
        return frozenset(file_id for (file_id,) in cursor.fetchall())
