"""A line of the log: its fields, its two forms, and what never stands in it."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
import structlog
from django.core.exceptions import ImproperlyConfigured
from structlog.contextvars import bound_contextvars, clear_contextvars

from config.logs.configuration import log_format, logging_settings, own_redaction
from config.logs.formats import Columns, JsonLines
from config.logs.printed import Printed
from config.logs.redaction import Redaction, WithoutBody, WithoutQuery
from config.logs.service import service_of

CANARY = "canary-7Qx9mK2p"


@pytest.fixture(autouse=True)
def _nothing_bound() -> None:
    """Views that other tests called in this process leave their tenant bound."""
    clear_contextvars()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Written:
    """What a logger wrote."""

    def __init__(self, logger: logging.Logger, formatter: logging.Formatter) -> None:
        self.logger = logger
        self._stream = io.StringIO()
        self.handler = logging.StreamHandler(self._stream)
        self.handler.setFormatter(formatter)

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def line(self) -> dict[str, Any]:
        (only,) = self.text.splitlines()
        return dict(json.loads(only))


def writing(name: str, formatter: logging.Formatter) -> Iterator[Written]:
    logger = logging.getLogger(name)
    written = Written(logger, formatter)
    logger.addHandler(written.handler)
    logger.setLevel(logging.DEBUG)
    yield written
    logger.removeHandler(written.handler)
    logger.setLevel(logging.NOTSET)


@pytest.fixture
def lines() -> Iterator[Written]:
    yield from writing("reports.tasks", JsonLines(Redaction([CANARY])))


@pytest.fixture
def columns() -> Iterator[Written]:
    yield from writing("reports.screen", Columns(Redaction([CANARY]), colours=False))


def test_a_line_has_its_fields_in_a_fixed_order(lines: Written) -> None:
    lines.logger.warning("%d pages", 3)
    line = lines.line
    assert list(line)[:6] == ["time", "level", "logger", "message", "pid", "service"]
    assert (line["level"], line["logger"], line["message"]) == (
        "warning",
        "reports.tasks",
        "3 pages",
    )
    assert line["time"].endswith("+00:00")


def test_a_line_carries_what_is_bound_and_what_the_call_names(lines: Written) -> None:
    with bound_contextvars(job_id="j1", tenant="acme", attempt=2):
        lines.logger.info("rendered", extra={"pages": 3, "attempt": 3, "level": "mine"})
    line = lines.line
    assert (line["job_id"], line["tenant"], line["pages"]) == ("j1", "acme", 3)
    assert line["attempt"] == 3  # the nearer word counts
    assert line["level"] == "info"  # but the line's own fields are never replaced


def test_a_call_by_structlog_makes_the_same_line(lines: Written) -> None:
    structlog.get_logger("reports.tasks").info("rendered %s", "it", pages=3, name="x")
    line = lines.line
    assert (line["message"], line["pages"], line["name"]) == ("rendered it", 3, "x")
    assert line["logger"] == "reports.tasks"


def test_fields_of_other_peoples_libraries_are_left_out() -> None:
    for written in writing("celery.app.trace", JsonLines(Redaction([]))):
        written.logger.error("Task failed", extra={"data": {"args": CANARY}})
        assert CANARY not in written.text


@pytest.mark.parametrize(
    "value", [float("nan"), {1, 2}, {"a": object()}, {(1, 2): 3}, "line\nbreak"]
)
def test_whatever_a_field_holds_the_line_is_one_json_object(lines: Written, value: object) -> None:
    lines.logger.info("odd", extra={"value": value})
    assert lines.line["message"] == "odd"


def test_a_field_that_contains_itself_does_not_cost_the_line(lines: Written) -> None:
    circle: list[object] = []
    circle.append(circle)
    lines.logger.info("odd", extra={"value": circle})
    assert lines.line["value"]


def test_an_exception_is_structured_and_shows_no_variables(lines: Written) -> None:
    try:
        token = "local-" + "value"
        raise ValueError("bad page")
    except ValueError:
        lines.logger.exception("not rendered")
    (error,) = lines.line["exception"]
    assert (error["exc_type"], error["exc_value"]) == ("ValueError", "bad page")
    assert error["frames"][-1]["name"] == "test_an_exception_is_structured_and_shows_no_variables"
    assert token not in lines.text


def test_an_exception_whose_traceback_is_none_of_pythons_is_told_all_the_same() -> None:
    raised = (ValueError, ValueError("x"), object())
    record = logging.makeLogRecord({"name": "x", "msg": "lost", "exc_info": raised})
    line = json.loads(JsonLines(Redaction([])).format(record))
    assert line["exception"] == [{"exc_type": "ValueError", "exc_value": "ValueError"}]


def test_on_a_terminal_the_columns_are_time_level_service_sentence_fields(
    columns: Written,
) -> None:
    columns.logger.info("3 pages", extra={"job_id": "j1", "pages": 3})
    assert columns.text.endswith("3 pages job_id=j1 pages=3\n")
    clock, level, service = columns.text.split()[:3]
    assert len(clock) == len("12:34:56.789")
    assert (level, service) == ("info", service_of(sys.argv))
    assert "\x1b" not in columns.text


def test_a_traceback_stands_below_its_line(columns: Written) -> None:
    try:
        raise ValueError("bad page")
    except ValueError:
        columns.logger.exception("not rendered")
    first, second, *_, last = columns.text.splitlines()
    assert "not rendered" in first
    assert second == "Traceback (most recent call last):"
    assert last == "ValueError: bad page"


def test_what_comes_from_outside_cannot_command_the_terminal_or_forge_a_line(
    columns: Written,
) -> None:
    columns.logger.info("one\n12:00:00 error two\x1b[2J", extra={"path": "\x9b1m"})
    assert "\x1b" not in columns.text
    assert "\x9b" not in columns.text
    assert columns.text.splitlines()[1].startswith("    ")


def test_colours_only_where_asked_for() -> None:
    for written in writing("reports.colour", Columns(Redaction([]), colours=True)):
        written.logger.error("3 pages", extra={"pages": 3})
        assert "\x1b[31merror" in written.text
        assert "\x1b[2mpages\x1b[0m=\x1b[2m3\x1b[0m" in written.text


@pytest.mark.parametrize(
    "text",
    [
        f"password {CANARY}",
        f"postgres://celeriac:{CANARY}-2@db:5432/celeriac is away",
        f"redis://:{CANARY}-2@db:6379/0",
        f"Authorization: Bearer x{CANARY}",
        f"authorization=bearer  x{CANARY}",
    ],
)
def test_known_secrets_passwords_in_urls_and_bearer_tokens_are_taken_out(
    lines: Written, text: str
) -> None:
    try:
        raise ConnectionError(text)
    except ConnectionError:
        lines.logger.exception("no: %s", text, extra={"more": [text]})
    assert CANARY not in lines.text


def test_a_password_stays_out_in_the_form_it_has_in_a_url() -> None:
    assert Redaction(["p@ss/word"])("at p%40ss%2Fword, at p@ss/word") == "at ***, at ***"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (f"to https://a.b/hook?token={CANARY} in vain", "to https://a.b/hook?*** in vain"),
        (f"https://a.b?{CANARY}", "https://a.b?***"),
        (
            f"retries exceeded with url: /hook?token={CANARY} (Caused by x)",
            "retries exceeded with url: /hook?*** (Caused by x)",
        ),
        ("is it at https://a.b/ ? Perhaps", "is it at https://a.b/ ? Perhaps"),
    ],
)
def test_a_url_is_written_without_its_query(text: str, written: str) -> None:
    assert Redaction([])(text) == written
    assert json.loads(Redaction([])(json.dumps({"message": text}))) == {"message": written}


def test_the_secrets_of_this_installation_are_known(settings: Any) -> None:
    password = settings.DATABASES["default"]["PASSWORD"]
    assert own_redaction()(f"{password} {settings.SECRET_KEY}") == "*** ***"


def test_a_request_line_is_written_without_its_query() -> None:
    record = logging.makeLogRecord({"msg": '"%s" %s', "args": (f"GET /x?t={CANARY} HTTP/1", 200)})
    assert WithoutQuery().filter(record)
    assert record.getMessage() == '"GET /x?*** HTTP/1" 200'


def test_the_body_of_a_message_that_celery_cannot_use_is_not_written() -> None:
    consumer: Any = import_module("celery.worker.consumer.consumer")  # its types lack the texts
    for text in (consumer.UNKNOWN_FORMAT, consumer.INVALID_TASK_ERROR):
        record = logging.makeLogRecord({"msg": text, "args": (CANARY,)})
        assert WithoutBody().filter(record)
        assert CANARY not in record.getMessage()


@pytest.mark.parametrize(
    ("argv", "service"),
    [
        (["/x/uvicorn/__main__.py", "config.asgi:application"], "web"),
        (["/venv/bin/uvicorn", "config.asgi:application"], "web"),
        (["/app/manage.py", "dispatch"], "dispatcher"),
        (["manage.py", "flower", "--port=1"], "flower"),
        (["manage.py", "migrate"], "migrate"),
        (["/x/celery/__main__.py", "-A", "config", "worker", "-c", "2"], "worker"),
        (["/venv/bin/celery", "-A", "config", "--quiet", "beat"], "beat"),
        (["/venv/bin/celery", "-A", "config", "inspect", "ping"], "celery"),
        (["manage.py"], "manage"),
        (["-c"], "python"),
        ([], "python"),
    ],
)
def test_a_program_is_known_by_how_it_was_started(argv: list[str], service: str) -> None:
    assert service_of(argv) == service


def test_what_is_printed_becomes_a_line_when_it_ends() -> None:
    for written in writing("print", JsonLines(Redaction([]))):
        print("one", 2, "three", file=Printed("WARNING"), end="")
        assert written.text == ""
        printed = Printed("WARNING")
        print("one", 2, "three", file=printed)
        print(file=printed)
        assert (written.line["message"], written.line["level"]) == ("one 2 three", "warning")


def test_the_form_goes_by_the_stream_unless_it_is_named() -> None:
    assert log_format("", Terminal()) == "console"
    assert log_format("", io.StringIO()) == "json"
    assert log_format("json", Terminal()) == "json"


def test_an_unknown_form_or_level_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="LOG_FORMAT"):
        log_format("xml")
    with pytest.raises(ImproperlyConfigured, match="LOG_LEVEL"):
        logging_settings(level="LOUD", form="json")


def test_on_debug_loggers_that_show_payloads_stay_above_it() -> None:
    loggers = logging_settings(level="DEBUG", form="json")["loggers"]
    assert loggers["celery.pool"]["level"] == loggers["django.db.backends"]["level"] == "INFO"
    assert "celery.pool" not in logging_settings(level="ERROR", form="json")["loggers"]
