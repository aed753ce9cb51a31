"""The lines that a job logged, in a terminal: the last ones, all, or as they come."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.management.base import OutputWrapper
from django.db import InterfaceError, OperationalError, connection

from jobs.api.logs import line_document, lines_of
from jobs.models import Job, LogLine
from jobs.states import FINAL
from jobs.terminal.outcome import INTERRUPTED
from jobs.terminal.words import clock, plain

SHOWN = 20  # on the page of a job
_LOOK_SECONDS = 0.5  # they are written no more often


def last_lines(job: Job) -> list[dict[str, Any]]:
    """As the API's documents, oldest first."""
    return [line_document(line) for line in reversed(lines_of(job).reverse()[:SHOWN])]


def in_words(line: dict[str, Any]) -> str:
    """One line of text, indented where the job's own goes on."""
    message = plain(line["message"]).replace("\n", "\n    ")
    return f"{clock(line['at'])} {line['level']:<8} {message}"


def write_lines(job: Job, out: OutputWrapper, *, follow: bool, as_json: bool) -> int:
    """Write all of them, and with `follow` those to come until the job has ended. Returns the exit
    status. Ctrl-C ends the following; the job knows nothing of it."""
    try:
        for line in _followed(job.pk) if follow else lines_of(job).iterator():
            document = line_document(line)
            out.write(json.dumps(document) if as_json else in_words(document))
            out.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _followed(job_id: UUID) -> Iterator[LogLine]:
    """A look without a database is no end."""
    after = 0
    while True:
        try:
            # Asked first: what it logged before its end is there then.
            goes_on = Job.objects.filter(pk=job_id).exclude(status__in=FINAL).exists()
            found = list(LogLine.objects.filter(job=job_id, pk__gt=after).order_by("pk"))
        except (OperationalError, InterfaceError):
            goes_on, found = True, []
            connection.close()
        yield from found
        if not goes_on:
            return
        after = found[-1].pk if found else after
        time.sleep(_LOOK_SECONDS)
