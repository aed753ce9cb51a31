"""`manage.py logs` shows what all programs wrote, as one log."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from config.bootstrap import ROOT
from config.logs.directory import LogDirectory
from config.logs.entry import Entry
from config.logs.exceptions import retold, structured, told
from tests.support.waiting import wait_for

JOB = "01a204f3-f6f9-76a4-85a9-9278d59eacf6"


@pytest.fixture
def logs(settings: Settings, tmp_path: Path) -> Path:
    settings.CELERIAC_HOME = tmp_path
    directory = tmp_path / "logs"
    directory.mkdir()
    return directory


def line(second: float, message: str, **fields: Any) -> str:
    at = datetime.fromtimestamp(second, UTC).isoformat(timespec="milliseconds")
    own = {"time": at, "level": "info", "logger": "x", "message": message, "pid": 1}
    return json.dumps({**own, "service": "web", **fields}) + "\n"


def shown(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("logs", *arguments, stdout=out)
    return out.getvalue().splitlines()


def messages(entries: list[Entry]) -> list[str]:
    return [str((entry.fields or {"message": entry.text})["message"]) for entry in entries]


@contextmanager
def following(logs: Path) -> Iterator[LogDirectory]:
    with closing(LogDirectory(logs, [], lambda entry: True)) as directory:
        yield directory


def test_the_lines_of_all_programs_come_in_the_order_of_time(logs: Path) -> None:
    (logs / "web.log").write_text(line(1, "first") + line(3, "third", job_id=JOB))
    (logs / "worker.log").write_text(line(2, "second", service="worker"))
    assert shown() == [
        "00:00:01.000 info     web          first",
        "00:00:02.000 info     worker       second",
        f"00:00:03.000 info     web          third job_id={JOB}",
    ]


def test_the_servers_own_lines_are_placed_by_their_time_and_shown_as_they_are(logs: Path) -> None:
    (logs / "web.log").write_text(line(1, "first") + line(5, "last"))
    own = [
        ("postgres", "1970-01-01 00:00:02.000 UTC [21] LOG:  starting"),
        ("supervisord", f"{datetime.fromtimestamp(3):%Y-%m-%d %H:%M:%S},000 INFO spawned: 'web'"),
        ("valkey", f"21:M {datetime.fromtimestamp(4):%d %b %Y %H:%M:%S}.000 * Ready"),
    ]
    for name, text in own:
        (logs / f"{name}.log").write_text(f"{text}\n")
    assert [text.split(maxsplit=1) for text in shown()[1:-1]] == [list(one) for one in own]


def test_a_line_without_a_time_stays_behind_the_one_before_it(logs: Path) -> None:
    (logs / "web.log").write_text(line(1, "broken") + "Traceback\n  here\n" + line(4, "again"))
    (logs / "beat.log").write_text(line(2, "meanwhile"))
    assert [text.split()[-1] for text in shown()] == [
        "broken", "Traceback", "here", "meanwhile", "again",
    ]  # fmt: skip


def test_what_a_program_says_that_could_not_start_is_among_the_newest(logs: Path) -> None:
    (logs / "web.log").write_text(line(1, "first") + "SyntaxError\n")
    (logs / "worker.log").write_text(line(2, "second"))
    assert shown("--lines", "1") == [f"{'':22}web          SyntaxError"]


def test_only_the_last_lines_are_shown_and_they_reach_back_into_older_files(logs: Path) -> None:
    (logs / "web.log.2").write_text("".join(line(n, f"n{n}") for n in range(400)))
    (logs / "web.log.1").write_text(line(401, "cut")[:20])
    (logs / "web.log").write_text(line(401, "cut")[20:] + line(402, "end"))
    assert [text.split()[-1] for text in shown("-n", "4")] == ["n398", "n399", "cut", "end"]


def test_lines_are_picked_by_service_level_and_job(logs: Path) -> None:
    (logs / "web.log").write_text(
        line(1, "told", job_id=JOB)
        + line(2, "asked", path=f"/api/v1/jobs/{JOB}")
        + line(3, "grave", level="error")
    )
    (logs / "dispatcher-1.log").write_text(line(4, "sent") + line(5, "odd", level="warning"))
    (logs / "postgres.log").write_text("1970-01-01 00:00:06.000 UTC [21] LOG:  checkpoint\n")

    def picked(*arguments: str) -> list[str]:
        return [json.loads(text)["message"] for text in shown("--json", *arguments)]

    assert picked("dispatcher") == ["sent", "odd"]
    assert picked("--level", "warning") == ["grave", "odd"]
    assert picked("--job", JOB) == ["told", "asked"]
    assert picked("web", "--level", "error", "--job", JOB) == []


def test_as_json_each_line_is_one_object(logs: Path) -> None:
    first = line(1, "first")
    (logs / "web.log").write_text(f"{first}no JSON\n")
    own, foreign = shown("--json")
    assert own == first.rstrip()
    assert json.loads(foreign).items() >= {"service": "web", "message": "no JSON"}.items()


@pytest.mark.parametrize("text", ["{", "{}", '{"time": 1}', "[1]", "\x1b[2J", '{"a":' * 9999])
def test_whatever_a_line_is_it_is_shown_and_commands_nothing(logs: Path, text: str) -> None:
    (logs / "web.log").write_text(f"{text}\n")
    (said,) = shown()
    assert said.split(maxsplit=1) == ["web", text.replace("\x1b", "\\x1b")]


def test_an_exception_reads_as_python_shows_it() -> None:
    try:
        try:
            raise KeyError("page")
        except KeyError as error:
            raise ValueError("bad page") from error
    except ValueError as error:
        again = retold(structured((type(error), error, error.__traceback__)))
        shown_by_python = told((type(error), error, error.__traceback__))
    own = [text for text in shown_by_python.splitlines() if not text.startswith("    ")]
    assert again.splitlines() == own


def test_a_name_of_which_there_is_no_log_is_told(logs: Path) -> None:
    (logs / "web.log").touch()
    with pytest.raises(CommandError, match="no log of webb"):
        shown("webb")


def test_where_nothing_ran_the_command_says_what_would_write_logs(logs: Path) -> None:
    with pytest.raises(CommandError, match=r"`manage[.]py up` writes them"):
        shown()


def test_following_shows_what_is_written_later_and_whole_lines_only(logs: Path) -> None:
    log = logs / "web.log"
    whole = line(2, "half")
    log.write_text(line(1, "old") + whole[:9])
    with following(logs) as directory:
        assert messages(directory.last(5, with_begun=False)) == ["old"]
        assert directory.new() == []
        with log.open("a") as file:
            file.write(whole[9:])
        (logs / "beat.log").write_text(line(3, "begun since"))
        assert messages(directory.new()) == ["half", "begun since"]
        assert directory.new() == []


def test_following_loses_nothing_when_files_are_renamed(logs: Path) -> None:
    log, cut = logs / "web.log", line(3, "cut in two")
    log.write_text(line(1, "old"))
    with following(logs) as directory:
        with log.open("a") as file:
            file.write(line(2, "before") + cut[:9])
        log.rename(logs / "web.log.2")
        (logs / "web.log.1").write_text(cut[9:] + line(4, "between"))
        assert messages(directory.new()) == ["before", "cut in two", "between"]
        log.write_text(line(5, "after"))
        assert messages(directory.new()) == ["after"]


def test_following_goes_on_when_a_file_is_emptied_or_replaced(logs: Path) -> None:
    log = logs / "web.log"
    log.write_text(line(1, "a long line that was there before"))
    with following(logs) as directory:
        log.write_text(line(2, "new"))
        assert messages(directory.new()) == ["new"]
        log.unlink()
        assert directory.new() == []
        log.write_text(line(3, "another"))
        assert messages(directory.new()) == ["another"]


@contextmanager
def running(home: Path, stdout: int, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a process, with servers that do not exist."""
    environment = os.environ | {
        "CELERIAC_HOME": str(home),
        "DATABASE_URL": "postgres://127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "TERM": "xterm",
    }
    environment.pop("NO_COLOR", None)
    argv = [sys.executable, "manage.py", "logs", *arguments]
    with subprocess.Popen(
        argv, cwd=ROOT, env=environment, stdout=stdout, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_it_runs_without_any_server_and_ctrl_c_ends_it_quietly(logs: Path, tmp_path: Path) -> None:
    log = logs / "web.log"
    log.write_text(line(1, "first"))
    with running(tmp_path, subprocess.PIPE, "-f") as process:
        assert process.stdout is not None
        assert "first" in process.stdout.readline()
        with log.open("a") as file:
            file.write(line(2, "second"))
        assert "second" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "", "")


def test_a_reader_that_leaves_ends_it_quietly(logs: Path, tmp_path: Path) -> None:
    log = logs / "web.log"
    log.write_text(line(1, "first"))
    with running(tmp_path, subprocess.PIPE, "-f") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        with log.open("a") as file:
            file.write(line(2, "second"))
        wait_for(lambda: process.poll() is not None, seconds=30, what="the command ends")
        assert (process.returncode, process.stderr.read()) == (0, "")


def test_colours_are_for_terminals(logs: Path, tmp_path: Path) -> None:
    (logs / "web.log").write_text(line(1, "first", level="error"))
    controller, terminal = pty.openpty()
    with running(tmp_path, terminal) as process:
        os.close(terminal)
        assert process.wait(timeout=60) == 0
    assert "\x1b[31merror" in os.read(controller, 4096).decode()
    os.close(controller)
    assert "\x1b" not in shown()[0]
