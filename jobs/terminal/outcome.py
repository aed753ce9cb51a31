"""How a job ended, and the exit status that says so."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import OutputWrapper

from jobs.terminal.screen import write_json
from jobs.terminal.words import happening, plain

COMPLETED, NOT_COMPLETED, INTERRUPTED = 0, 1, 130


def tell_outcome(
    job: dict[str, Any], out: OutputWrapper, err: OutputWrapper, *, as_json: bool
) -> int:
    """The result on `out`, everything else on `err`; with `as_json` the whole job on `out`."""
    completed = job["status"] == "completed"
    if as_json:
        write_json(out, job)
    elif completed:
        out.write(readable(job["result"]))
    if not completed:
        err.write(f"Job {job['id']} {happening(job)}.".replace("..", "."))
        err.write(f"More: manage.py jobs show {job['id']}")
    return COMPLETED if completed else NOT_COMPLETED


def readable(value: object) -> str:
    """A text as it is, anything else as JSON over several lines."""
    if isinstance(value, str):
        return plain(value)
    return plain(json.dumps(value, indent=2, ensure_ascii=False))
