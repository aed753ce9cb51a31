"""Jobs in a few words."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.terminal.board import line
from jobs.terminal.following import pause
from jobs.terminal.words import duration, happening, plain

JOB: dict[str, Any] = {
    "status": "queued", "level": "normal", "progress": 0, "progress_message": "", "retry_count": 0,
    "max_retries": 3, "next_retry_at": None, "visible_at": None, "position": None,
    "position_exact": None, "error": None, "actual_duration_seconds": None, "depends_on": [],
    "cancel_requested_at": None, "cancelled_by": None,
}  # fmt: skip
LONG_AGO = "2001-01-01T00:00:00.000000Z"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (0.0123, "12 ms"), (3.44, "3.4 s"), (59.9, "59.9 s"), (60, "1 min"),
     (250, "4 min 10 s"), (3600, "1 h"), (7500, "2 h 5 min"), (273_600, "3 d 4 h")],
)  # fmt: skip
def test_a_duration_is_told_in_the_two_largest_units(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("job", "words"),
    [
        ({}, "queued"),
        ({"position": 1200, "position_exact": True}, "queued, number 1,200"),
        ({"position": 5000, "position_exact": False}, "queued, about 5,000"),
        ({"status": "blocked", "depends_on": ["a"]}, "waits for 1 other job"),
        ({"status": "blocked", "depends_on": ["a", "b"]}, "waits for 2 other jobs"),
        ({"status": "scheduled", "visible_at": LONG_AGO}, "starts now"),
        ({"status": "scheduled", "retry_count": 2, "next_retry_at": LONG_AGO},
         "failed, retry 2 of 3 now"),
        ({"status": "processing"}, "processing"),
        ({"status": "processing", "progress_message": "a\nb"}, "a b"),
        ({"status": "processing", "cancel_requested_at": LONG_AGO}, "asked to end"),
        ({"status": "completed", "actual_duration_seconds": 2.0}, "completed in 2.0 s"),
        ({"status": "completed", "retry_count": 1}, "completed in –, 1 retry"),
        ({"status": "failed"}, "failed: unknown reason"),
        ({"status": "failed", "error": {"message": "no\x1b[1m"}}, "failed: no\ufffd[1m"),
        ({"status": "cancelled"}, "cancelled"),
        ({"status": "cancelled", "cancelled_by": "user:eve"}, "cancelled by user:eve"),
    ],
)  # fmt: skip
def test_what_a_job_is_at_fits_one_line(job: dict[str, Any], words: str) -> None:
    assert happening({**JOB, **job}) == words


def test_a_line_of_text_says_name_level_progress_and_what_goes_on() -> None:
    told = line(
        "a job", {**JOB, "status": "processing", "progress": 45, "progress_message": "half"}
    )
    assert told.split() == ["a", "job", "normal", "45", "%", "half"]


def test_plain_text_keeps_letters_and_line_ends_and_drops_what_a_terminal_obeys() -> None:
    assert plain("é 漢\n") == "é 漢\n"
    assert plain("\x1b[2J\x07\r\x9b\u202e") == "\ufffd[2J" + "\ufffd" * 4


def test_looks_come_often_at_first_and_each_second_in_the_end() -> None:
    pauses = [pause(waited) for waited in (0.0, 10.0, 1e6)]
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1] == 1.0
