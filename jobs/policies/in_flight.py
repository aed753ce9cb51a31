"""Messages on their way, taken back when a policy changes under them."""

from __future__ import annotations

from django.db.models import Q

from jobs import lifecycle
from jobs.exceptions import JobsError
from jobs.lifecycle.statement import bound_waits
from jobs.message import FencedJob
from jobs.models import Job
from jobs.states import Status


class NotTakenBack(JobsError):
    """A receiver of job_moved fails for a job that must be taken back; nothing was changed."""


def withdraw(which: Q) -> int:
    """Take back what was sent of these jobs and not claimed yet; returns how many. Inside
    `changes.changing()`: nothing is sent meanwhile.

    The rows are locked first, and waited for (two seconds each, then OperationalError): a claim
    that is about to commit wins, and its job is then no longer among them. All of them or none: a
    job that a receiver of `job_moved` keeps back would start under a policy that forbids it, so
    NotTakenBack is raised then, and the policy stays as it was.
    """
    bound_waits()
    sent = Job.objects.filter(which, status=Status.QUEUED, dispatched_at__isnull=False)
    locked = sent.order_by("pk").select_for_update(no_key=True).values_list("pk", "fence")
    named = [FencedJob(*row) for row in locked]
    back = {moved.id for moved in lifecycle.withdraw(named)}
    if kept := [job.id for job in named if job.id not in back]:
        raise NotTakenBack(jobs=kept)
    return len(back)
