"""Hand a job over to `following`, and what Ctrl-C means meanwhile."""

from __future__ import annotations

from typing import Any

from django.core.management.base import OutputWrapper

from accounts.access import Access
from jobs.terminal.following import follow
from jobs.terminal.outcome import INTERRUPTED, tell_outcome
from jobs.terminal.screen import screen


def wait_for_end(
    job: dict[str, Any], access: Access, out: OutputWrapper, err: OutputWrapper, *, as_json: bool
) -> int:
    """The exit status. Ctrl-C ends the waiting; the job knows nothing of it."""
    silent = as_json and not err.isatty()
    try:
        ended = follow(job, access, None if silent else screen(err))
    except KeyboardInterrupt:
        err.write(f"\nNot waiting any longer. The job goes on: manage.py jobs watch {job['id']}")
        return INTERRUPTED
    return tell_outcome(ended, out, err, as_json=as_json)
