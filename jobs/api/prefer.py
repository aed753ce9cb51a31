"""`Prefer: wait=N` (RFC 7240): an answer that waits for the job's end."""

from __future__ import annotations

import re
import time
from uuid import UUID

from rest_framework.request import Request

from jobs.models import Job
from jobs.states import FINAL

LONGEST_SECONDS = 30
_WAIT = re.compile(r'(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?(?=$|[,;\s])')
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.25


def wanted_seconds(request: Request) -> int:
    """How long the caller wants to wait, at most LONGEST_SECONDS; 0 where it does not say."""
    found = _WAIT.search(request.headers.get("Prefer", ""))
    return min(int(found[1]), LONGEST_SECONDS) if found else 0


def wait_for_end(job_id: UUID | str, seconds: float) -> None:
    """Return when the job has ended, or after `seconds`. Call it outside a transaction: each look
    is one of its own."""
    deadline, pause = time.monotonic() + seconds, _FIRST_PAUSE
    ended = Job.objects.filter(pk=job_id, status__in=FINAL)
    while not ended.exists() and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)
