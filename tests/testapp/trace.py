"""The trace that job code leaves outside the database, as a mail sent or a page fetched would."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

TRACE = "CELERIAC_TEST_TRACE"  # the environment variable that names the file


def leave_trace(attempt_id: str, mark: str, **more: Any) -> None:
    """One line by one write to a file opened for appending: whole, and in order of time."""
    line = json.dumps(
        {"mark": mark, "attempt": attempt_id, "at": time.monotonic(), "pid": os.getpid(), **more}
    )
    trace = os.open(os.environ[TRACE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.write(trace, line.encode() + b"\n")
    finally:
        os.close(trace)


def hold_of(trace: Path) -> Path:
    """The file that holds jobs of type `testing.held` while it is there."""
    return trace.with_suffix(".hold")


def traces(file: Path) -> Iterator[dict[str, Any]]:
    """Every line that was left, in order of time. The clock is monotonic, one for the machine.

    Who reads while another writes may see half of the last line: it is not there yet."""
    if file.exists():
        whole, _, _ = file.read_text().rpartition("\n")
        for line in whole.splitlines():
            yield json.loads(line)


def traces_of(file: Path, job_id: UUID) -> list[dict[str, Any]]:
    """Those of one job."""
    return [line for line in traces(file) if line["attempt"].startswith(str(job_id))]
