"""Lines that job code logs are kept with the job: soon, in order, bounded, without secrets."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import Tenant
from jobs import JobContext, Secret, job_type, lifecycle, registry
from jobs.enqueue import enqueue
from jobs.log_level import LogLevel
from jobs.message import FencedJob
from jobs.models import Job, LogLine
from jobs.states import Status
from jobs.testing import run_inline
from jobs.testing.execution import InlineExecution
from jobs.worker import log_lines
from jobs.worker.execution import Execution
from jobs.worker.identity import WorkerIdentity
from jobs.worker.log_lines import LogLines
from tests.jobs import making
from tests.jobs.kinds import ECHO
from tests.support.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "logging.code"
Code = Callable[[JobContext], Any]


class Threaded(InlineExecution):
    """Inline, but for the lines: they are written as in a worker."""

    _log_lines = Execution._log_lines


@pytest.fixture
def attempt(tenant: Tenant) -> Iterator[Callable[[Code], Job]]:
    """Runs one attempt of a job with this code, again of the same job while it is not done."""
    execution = Threaded(WorkerIdentity(name="w@test", lease_seconds=30))
    code: list[Code] = []

    @job_type(NAME, max_retries=0)
    def run(context: JobContext, *, password: Secret[str]) -> Any:
        return code[0](context)

    def attempt(given: Code) -> Job:
        code[:] = [given]
        job = Job.objects.filter(type=NAME, status=Status.QUEUED).first()
        job = job or enqueue(tenant, NAME, {"password": "hunter2-and-more"}).job
        execution.run(making.send(job))
        return making.fresh(job)

    yield attempt
    registry.forget(NAME)


def kept(job: Any) -> list[tuple[str, str]]:
    lines = LogLine.objects.filter(job=getattr(job, "pk", job)).order_by("pk")
    return [(line.level, line.message) for line in lines]


def running(tenant: Tenant) -> FencedJob:
    return making.start(enqueue(tenant, ECHO, {}).job)


def lines_of(held: FencedJob, attempt: int = 1) -> LogLines:
    return LogLines(held, attempt, lambda: ["hunter2"])


def test_lines_are_kept_in_their_order_with_level_fields_and_attempt(
    attempt: Callable[[Code], Job], caplog: pytest.LogCaptureFixture
) -> None:
    def code(context: JobContext) -> None:
        context.log("begins")
        context.log("a page is empty", "warning", page=3, name="a b")

    with caplog.at_level(logging.INFO):
        job = attempt(code)

    assert job.status == Status.COMPLETED
    assert kept(job) == [("info", "begins"), ("warning", "a page is empty page=3 name='a b'")]
    lines = LogLine.objects.filter(job=job)
    assert {line.attempt for line in lines} == {1}
    assert all(job.created_at <= line.at <= job.updated_at for line in lines)
    told = [each for each in caplog.records if each.name == log_lines.__name__]
    assert (told[0].levelname, told[0].getMessage()) == ("INFO", "begins")
    assert all(vars(each)["job_id"] == job.pk for each in told)


def test_a_line_can_be_read_while_the_code_works_and_holds_a_transaction_open(
    attempt: Callable[[Code], Job],
) -> None:
    seen: list[bool] = []

    def code(context: JobContext) -> None:
        with transaction.atomic():
            Job.objects.select_for_update(no_key=True).get(pk=context.job_id)
            context.log("in the middle")
            wait_for(lambda: kept(context.job_id), seconds=30, what="the line is kept")
            seen.append(True)

    assert attempt(code).status == Status.COMPLETED
    assert seen == [True]


def test_lines_of_code_that_fails_are_kept_although_what_it_wrote_is_undone(
    attempt: Callable[[Code], Job],
) -> None:
    def code(context: JobContext) -> None:
        with transaction.atomic():
            context.log("before the failure", "error")
            raise ValueError

    job = attempt(code)
    assert job.status == Status.FAILED
    assert kept(job) == [("error", "before the failure")]


def test_secrets_are_hidden_in_the_job_and_in_the_log_and_every_text_can_be_stored(
    attempt: Callable[[Code], Job], caplog: pytest.LogCaptureFixture
) -> None:
    def code(context: JobContext) -> None:
        context.log("the password is hunter2-and-more", word="hunter2-and-more")
        context.log("\x00 \ud800 \x1b[31m \N{SNOWMAN}")
        context.log(KeyError("any object"))

    with caplog.at_level(logging.INFO):
        job = attempt(code)
    assert [message for _, message in kept(job)] == [
        "the password is *** word='***'",
        "\N{SYMBOL FOR NULL} ? \x1b[31m \N{SNOWMAN}",
        "'any object'",
    ]
    assert "hunter2" not in caplog.text


def test_a_long_line_is_cut_to_8_kb_and_never_within_a_character(tenant: Tenant) -> None:
    held = running(tenant)
    lines = lines_of(held)
    for text in ("é" * 10_000, "x" * 8192, "x" * 8193):
        lines.add(LogLevel.INFO, text)
    lines.finish()
    long, whole, longer = (message for _, message in kept(held.id))
    assert whole == "x" * 8192
    for message in (long, longer):
        assert message.endswith("…")
        assert 8188 <= len(message.encode()) <= 8192


def test_a_job_keeps_so_many_lines_over_all_attempts_and_the_last_says_so(
    tenant: Tenant, settings: Settings
) -> None:
    settings.JOB_LOG_LINES = 5
    held = running(tenant)
    for attempt, logged in ((1, "abc"), (2, "defg"), (3, "hi")):
        lines = lines_of(held, attempt)
        for text in logged:
            lines.add(LogLevel.INFO, text)
        lines.finish()
    messages = [message for _, message in kept(held.id)]
    assert messages[:4] == ["a", "b", "c", "d"]
    assert messages[4:] == [log_lines.MORE.format(5)]


def test_what_waits_in_memory_is_bounded_too(tenant: Tenant, settings: Settings) -> None:
    settings.JOB_LOG_LINES = 50
    lines = lines_of(running(tenant))
    for number in range(500):
        lines.add(LogLevel.DEBUG, str(number))
    with lines._writing:  # else a line may be seen in two of these places
        assert len(lines._waiting) + len(lines._unwritten) + LogLine.objects.count() <= 50
    lines.finish()
    assert LogLine.objects.count() == 50


def test_many_lines_are_one_statement_and_none_at_all_cost_nothing(tenant: Tenant) -> None:
    held = running(tenant)
    silent, talking = lines_of(held), lines_of(held)
    talking._start = lambda: None  # type: ignore[method-assign]  # only this connection is counted
    with CaptureQueriesContext(connection) as statements:
        silent.finish()
        assert len(statements) == 0
        for number in range(100):
            talking.add(LogLevel.INFO, str(number))
        talking.finish()
        assert len(statements) == 1
    assert [message for _, message in kept(held.id)] == [str(number) for number in range(100)]


def test_an_attempt_that_lost_its_job_keeps_no_further_lines(tenant: Tenant) -> None:
    held = running(tenant)
    lines = lines_of(held)
    lifecycle.release(held, error=making.ERROR)
    lines.add(LogLevel.INFO, "of a stranger")
    lines.finish()
    assert kept(held.id) == []


def test_a_connection_that_died_meanwhile_loses_no_line(tenant: Tenant) -> None:
    held = running(tenant)
    lines = lines_of(held)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    end_connection(pid)
    lines.add(LogLevel.INFO, "after it")
    lines.finish()
    assert kept(held.id) == [("info", "after it")]


def end_connection(pid: int) -> None:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
    finally:
        other.close()


def test_without_a_database_the_lines_are_dropped_and_the_job_goes_on(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    held = running(tenant)
    with monkeypatch.context() as away:
        connection.close()
        away.setitem(connection.settings_dict, "PORT", 1)
        lines = lines_of(held)
        lines.add(LogLevel.INFO, "to nowhere")
        lines.finish()
    assert "could not be kept" in caplog.text
    assert kept(held.id) == []


def test_the_thread_and_its_connection_end_with_the_attempt(tenant: Tenant) -> None:
    held = running(tenant)
    lines = lines_of(held)
    lines.add(LogLevel.INFO, "one")
    wait_for(lambda: kept(held.id), seconds=30, what="the line is kept")
    thread = lines._thread
    assert thread is not None
    assert thread.is_alive()
    lines.finish()
    wait_for(lambda: not thread.is_alive(), seconds=30, what="the thread has ended")


def test_a_level_that_is_none_is_refused(attempt: Callable[[Code], Job]) -> None:
    job = attempt(lambda context: context.log("x", "loud"))
    assert job.error is not None
    assert (job.error["type"], kept(job)) == ("ValueError", [])


@pytest.mark.usefixtures("declaring", "queues")
@pytest.mark.parametrize("in_transaction", [pytest.param(True, marks=pytest.mark.django_db), False])
def test_the_kit_keeps_lines_too(in_transaction: bool) -> None:
    @job_type("logging.inline", max_retries=0)
    def inline(context: JobContext, *, fail: bool = False) -> None:
        context.log("seen", number=7)
        if fail:
            raise ValueError

    for fail in (False, True):
        job = run_inline(inline, fail=fail, tenant=Tenant.objects.get_or_create(slug="default")[0])
        assert kept(job) == [("info", "seen number=7")]
