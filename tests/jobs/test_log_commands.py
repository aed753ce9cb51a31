"""`manage.py jobs logs`, and the lines in `jobs show`."""

from __future__ import annotations

import io
import json
from functools import partial
from threading import Thread

import pytest
from django.db import connection

from accounts.models import Tenant
from jobs import lifecycle
from jobs.models import Job, LogLine
from jobs.terminal.log_lines import SHOWN
from tests.jobs.making import held, queued, start
from tests.jobs.test_commands import Said
from tests.support.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def job(tenant: Tenant) -> Job:
    """It runs."""
    job = queued(tenant)
    start(job)
    return job


def log(job: Job, *messages: str) -> None:
    for message in messages:
        LogLine.objects.create(job=job, attempt=1, level="warning", message=message)


def _is_in(text: str, out: io.StringIO) -> bool:
    return text in out.getvalue()


def test_all_lines_are_written_oldest_first_and_cannot_command_the_terminal(job: Job) -> None:
    log(job, "first", "second\nline", "\x1b[2J")
    said = Said("jobs", "logs", str(job.pk))
    first, second, indented, last = said.out.splitlines()
    assert first.endswith("warning  first")
    assert second.endswith("warning  second")
    assert indented == "    line"
    assert last.endswith("warning  \N{REPLACEMENT CHARACTER}[2J")
    assert said.status == 0


def test_with_json_each_line_is_an_object(job: Job) -> None:
    log(job, "a", "b")
    out = Said("jobs", "logs", str(job.pk), "--json").out
    lines = [json.loads(line) for line in out.splitlines()]
    assert [(line["message"], line["level"], line["attempt"]) for line in lines] == [
        ("a", "warning", 1),
        ("b", "warning", 1),
    ]


def test_followed_lines_come_until_the_job_has_ended(job: Job) -> None:
    log(job, "there already")
    out = io.StringIO()

    def follow() -> None:
        try:
            Said("jobs", "logs", str(job.pk), "--follow", out=out)
        finally:
            connection.close()

    following = Thread(target=follow)
    following.start()
    try:
        for message in ("one", "two"):
            log(job, message)
            wait_for(partial(_is_in, message, out), seconds=30, what=message)
        log(job, "the last")
    finally:
        lifecycle.complete(held(job), result=None)
        following.join(30)
    assert not following.is_alive()
    said = [line.split()[-1] for line in out.getvalue().splitlines()]
    assert said == ["already", "one", "two", "last"]


def test_show_has_the_last_lines(job: Job) -> None:
    log(job, *(f"line-{number}" for number in range(SHOWN + 5)))
    out = Said("jobs", "show", str(job.pk)).out
    assert "What it logged" in out
    assert "line-4\n" not in out
    assert out.index("line-5\n") < out.index(f"line-{SHOWN + 4}\n")
    document = Said("jobs", "show", str(job.pk), "--json").document
    assert document["logs"][0]["message"] == "line-5"
