"""Messages on their way, taken back when a policy changes under them."""

from __future__ import annotations

from django.db.models import Q

from jobs import lifecycle
from jobs.lifecycle.statement import bound_waits
from jobs.message import FencedJob
from jobs.models import Job
from jobs.states import Status


def withdraw(which: Q) -> int:
    """Take back what was sent of these jobs and not claimed yet; returns how many. Inside
    `changes.changing()`: nothing is sent meanwhile.

    The rows are locked first, and waited for (two seconds each, then OperationalError): a claim
    that is about to commit wins, and its job is then no longer among them.
    """
    bound_waits()
    sent = Job.objects.filter(which, status=Status.QUEUED, dispatched_at__isnull=False)
    locked = sent.order_by("pk").select_for_update(no_key=True).values_list("pk", "fence")
    return len(lifecycle.withdraw([FencedJob(*row) for row in locked]))
