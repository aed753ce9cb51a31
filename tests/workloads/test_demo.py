"""The demonstration against a server that speaks the REST API."""

import io
import json
from itertools import islice
from typing import Any

import pytest
from rich.console import Console

import workloads.tasks  # noqa: F401 - registers the job types that the server runs
from accounts import tokens
from accounts.models import ApiToken, Tenant
from config import demo
from config.demo import api as demo_api
from config.demo.access import fresh_token, token_of_new_process
from config.demo.api import Api, ApiError, pause
from config.demo.board import board
from config.demo.followed import Followed
from config.demo.submissions import Submission, submissions
from tests.workloads.api_server import ApiServer, inline, life

pytestmark = pytest.mark.django_db


EAGER = 0.005
TITLES = (
    "Leases and fencing tokens",
    "A short history of clocks",
    "How bees make honey",
    "Queues in everyday life",
    "Why we sleep",
)


@pytest.fixture(autouse=True)
def a_hasty_demonstration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few pauses, and the token from this process, whose database is the tests'."""
    monkeypatch.setattr(demo_api, "EAGER_PAUSE", EAGER)
    monkeypatch.setattr(demo, "token_of_new_process", fresh_token)


def console(*, terminal: bool = False, width: int = 100) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=width, record=True)


def test_the_demonstration_hands_in_documents_of_every_level_and_prints_their_notes() -> None:
    screen = console()
    with ApiServer() as server:
        assert demo.run(screen, server.url) is True

    shown = screen.export_text()
    assert {body["priority"] for body in server.bodies} == {"urgent", "high", "normal", "low"}
    assert [body["type"] for body in server.bodies].count("notes.file") == 4
    for title in TITLES:
        assert title in shown
    assert "failed, retry 1 of 3" in shown
    assert "completed in 1.2 s, 1 retry" in shown
    assert f"{server.url}/admin/" in shown


def test_off_a_terminal_there_are_no_control_codes() -> None:
    screen = console()
    with ApiServer() as server:
        demo.run(screen, server.url)

    assert isinstance(screen.file, io.StringIO)
    assert "\x1b" not in screen.file.getvalue()


def test_on_a_terminal_the_bars_move() -> None:
    screen = console(terminal=True)
    with ApiServer() as server:
        assert demo.run(screen, server.url) is True

    shown = screen.export_text()
    assert "━" in shown
    assert "Leases and fencing tokens" in shown


def _whole(submission: Submission) -> dict[str, Any]:
    """The body with its file in it."""
    if submission.file is None:
        return submission.body
    file = inline(submission.file.name, submission.file.read_bytes())
    return {**submission.body, "payload": {**submission.body["payload"], "file": file}}


@pytest.mark.parametrize("width", [80, 100, 120])
def test_rows_and_report_fit_the_width_of_the_terminal(width: int) -> None:
    screen = console(width=width)
    with ApiServer() as server:
        demo.run(screen, server.url)
    for submission in submissions():
        for job in islice(life("id", _whole(submission)), 7):
            screen.print(board([Followed(submission=submission, job=job)]))

    unwrapped = ("curl", "TOKEN=")
    lines = [line for line in screen.export_text().splitlines() if not line.startswith(unwrapped)]
    assert max(map(len, lines)) <= width


def test_a_job_that_fails_is_shown_and_makes_the_demonstration_fail() -> None:
    screen = console()
    with ApiServer(failing_type="notes.text") as server:
        assert demo.run(screen, server.url) is False

    assert "Unavailable: Out of order." in screen.export_text()


def test_an_api_that_is_away_is_told_in_words() -> None:
    with ApiServer() as gone:
        url = gone.url
    screen = console()

    assert demo.run(screen, url) is False
    assert "does not answer" in " ".join(screen.export_text().split())


def test_a_database_that_is_away_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://127.0.0.1:1/nothing")
    monkeypatch.setattr(demo, "token_of_new_process", token_of_new_process)
    screen = console()

    assert demo.run(screen, "http://127.0.0.1:1") is False
    assert "The database gives no token" in screen.export_text()
    assert "Traceback" not in screen.export_text()


def test_a_refusal_is_told_with_its_explanation() -> None:
    problem = {"detail": "The payload is wrong.", "errors": [{"pointer": "/x", "detail": "no"}]}
    with ApiServer() as server, Api(server.url, "t") as api:
        server.refusals = [(422, {}, json.dumps(problem).encode())]
        with pytest.raises(ApiError, match=r"422: The payload is wrong\. /x: no"):
            api.create_job({})


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"errors": 5}'])
def test_an_error_without_an_explanation_is_still_told(content: bytes) -> None:
    with ApiServer() as server, Api(server.url, "t") as api:
        server.refusals = [(500, {}, content)]
        with pytest.raises(ApiError, match="500"):
            api.job("x")


@pytest.mark.parametrize("content", [b"<html>", b"[]"])
def test_a_success_without_an_object_is_an_error(content: bytes) -> None:
    with ApiServer() as server, Api(server.url, "t") as api:
        server.refusals = [(200, {}, content)]
        with pytest.raises(ApiError, match="without"):
            api.job("x")


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_for_patience_gets_it(status: int) -> None:
    with ApiServer() as server:
        server.refusals = [(status, {"Retry-After": "0.05"}, b"{}")] * 2

        assert demo.run(console(), server.url) is True


@pytest.mark.parametrize(
    ("remaining", "reset", "seconds"),
    [
        (float("inf"), 0, EAGER),
        (99, 60, EAGER),
        (30, 60, 2.0),
        (0, 12, 12.0),
        (20, 0.02, EAGER),
    ],
)
def test_the_rate_limit_is_approached_and_not_reached(
    remaining: float, reset: float, seconds: float
) -> None:
    assert pause(remaining, reset) == seconds


def test_each_demonstration_gets_a_token_of_its_tenant_and_ends_the_one_before() -> None:
    first, second = fresh_token(), fresh_token()

    token = tokens.verify(second)
    assert tokens.verify(first) is None
    assert token is not None
    assert token.tenant is not None
    assert token.tenant.slug == "demo"
    assert "admin" not in token.scopes
    assert Tenant.objects.filter(slug="demo").count() == 1
    assert ApiToken.objects.filter(tenant__slug="demo", revoked_at=None).count() == 1


def test_the_token_is_sent_and_printed_for_use() -> None:
    screen = console()
    with ApiServer() as server:
        demo.run(screen, server.url)

    (sent,) = server.tokens
    assert sent is not None
    assert f"TOKEN={sent.removeprefix('Bearer ')}\n" in screen.export_text()
