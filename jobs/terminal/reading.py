"""Jobs as the person at the terminal sees them: all tenants' or one's, as the API's documents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from accounts.access import Access
from accounts.api.moment import shown
from accounts.models import Tenant
from accounts.terminal import operator
from jobs.api.attempts import unkept
from jobs.api.presenting import (
    attempt_document,
    job_document,
    job_documents,
    placed_document,
)
from jobs.api.reach import jobs_of
from jobs.explain import Code, Explanation, Reason, explain
from jobs.models import Job
from jobs.states import WAITING
from jobs.terminal.refusal import Refused
from jobs.terminal.words import clock

# The first eight digits of an id are its hour; two jobs of one second differ in the next four.
_SHORTEST = 8
_ATTEMPTS = 50
_TROUBLE = frozenset({Code.NO_WORKER, Code.DISPATCHER_DOWN, Code.PAUSED, Code.CIRCUIT_OPEN})
_BEGINNING = re.compile(rf"[0-9a-f]{{{_SHORTEST},32}}")


def access_to(slug: str | None) -> Access:
    """Of one tenant, or of all. Raises Refused for an unknown one."""
    return Access(principal=operator(), tenant=tenant(slug) if slug else None)


def tenant(slug: str) -> Tenant:
    found = Tenant.objects.filter(slug=slug).first()
    if found is None:
        known = ", ".join(Tenant.objects.order_by("slug").values_list("slug", flat=True)[:20])
        raise Refused(f"There is no tenant {slug!r}. There are: {known}.")
    return found


def found(text: str, access: Access) -> Job:
    """The job of this id, or of the only id that begins so. Raises Refused."""
    digits = text.strip().lower().replace("-", "")
    if not _BEGINNING.fullmatch(digits):
        raise Refused(f"{text!r} is no job id; its first {_SHORTEST} digits at least are needed.")
    span = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    rows = list(jobs_of(access).filter(pk__range=span).order_by("pk")[:2])
    if not rows:
        raise Refused(f"There is no job {text}.")
    if len(rows) > 1:
        raise Refused(f"More than one job's id begins with {text}; give more of it.")
    return rows[0]


def document(job: Job, access: Access, *, placed: bool = False) -> dict[str, Any]:
    """The job's, secrets masked; `placed` with its position, which costs a count."""
    return placed_document(job, access) if placed else job_document(job, access)


def documents(jobs: Sequence[Job], access: Access) -> list[dict[str, Any]]:
    """Of many jobs, without their positions."""
    return job_documents(jobs, access)


def current(job_id: UUID, access: Access) -> dict[str, Any]:
    """The document of the job as it is now. Raises Refused where it is gone."""
    job = jobs_of(access).filter(pk=job_id).first()
    if job is None:
        raise Refused(f"Job {job_id} is gone: its retention is over.")
    return document(job, access, placed=True)


def reasons(job: Job) -> list[str]:
    """Why a waiting job does not run yet, a sentence each; nothing of one that runs or ended."""
    if job.status not in WAITING:
        return []
    found = explain(job)
    told = list(dict.fromkeys(_sentence(one) for one in found.reasons))
    return told + _start(found)


def trouble(job_id: UUID) -> str:
    """What somebody has to see to before a waiting job can run, or nothing."""
    job = Job.objects.filter(pk=job_id, status__in=WAITING).first()
    found = [] if job is None else explain(job).reasons
    return " ".join(one.detail for one in found if one.code in _TROUBLE)


def attempts(job: Job, access: Access) -> list[dict[str, Any]]:
    """The latest attempts first, at most a screenful or two."""
    kept = job.attempts.order_by("-fence")[:_ATTEMPTS]
    return [told for _, told in unkept(job)] + [attempt_document(one, access) for one in kept]


def _sentence(reason: Reason) -> str:
    until = f" Until {clock(str(shown(reason.until)))}." if reason.until else ""
    return " ".join(filter(None, [reason.detail + until, reason.remedy]))


def _start(found: Explanation) -> list[str]:
    expected = shown(found.expected_start_at)
    return [f"It is likely to start at {clock(expected)}."] if expected else []
