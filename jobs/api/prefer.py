"""`Prefer: wait=N` (RFC 7240): an answer that waits for the job's end.

Waiting occupies a thread of the web process, so at most half of them may wait at once. A wish
beyond that is answered at once and, as the RFC has it, without `Preference-Applied`.
"""

from __future__ import annotations

import re
import threading
import time
from uuid import UUID

from django.conf import settings
from rest_framework.request import Request

from jobs.models import Job
from jobs.states import FINAL

LONGEST_SECONDS = 30
_WAIT = re.compile(r'(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?(?=$|[,;\s])')
_SEATS = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 2))
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.25


def wanted_seconds(request: Request) -> int:
    """How long the caller wants to wait, at most LONGEST_SECONDS; 0 where it does not say."""
    found = _WAIT.search(request.headers.get("Prefer", ""))
    return min(int(found[1]), LONGEST_SECONDS) if found else 0


def wait_for_end(job_id: UUID | str, seconds: float) -> bool:
    """Return when the job has ended, or after `seconds`; at once, with False, where too many wait.
    Call it outside a transaction: each look is one of its own."""
    if not _SEATS.acquire(blocking=False):
        return False
    try:
        _look_until_ended(job_id, time.monotonic() + seconds)
    finally:
        _SEATS.release()
    return True


def _look_until_ended(job_id: UUID | str, deadline: float) -> None:
    pause = _FIRST_PAUSE
    ended = Job.objects.filter(pk=job_id, status__in=FINAL)
    while not ended.exists() and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)
