"""The lines of a job over REST: oldest first, by page, by level; of one's own jobs only."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Tenant
from jobs.models import Job, LogLine
from jobs.states import Status
from tests.api.calling import Caller
from tests.api.conftest import MakeJob


@pytest.fixture
def job(acme: Tenant, make_job: MakeJob) -> Job:
    """A job that runs its second attempt and has logged five lines."""
    job = make_job(acme, Status.PROCESSING)
    said = [("info", "a"), ("warning", "b"), ("info", "c"), ("error", "d"), ("info", "e")]
    for number, (level, message) in enumerate(said):
        LogLine.objects.create(job=job, attempt=number // 3 + 1, level=level, message=message)
    return job


def messages(body: Any) -> list[str]:
    return [item["message"] for item in body["items"]]


def test_lines_are_listed_oldest_first_with_moment_attempt_and_level(
    caller: Caller, job: Job
) -> None:
    body = caller.get(f"/jobs/{job.pk}/logs").body
    assert messages(body) == ["a", "b", "c", "d", "e"]
    first, *_, last = body["items"]
    assert first.keys() == {"at", "attempt", "level", "message"}
    assert (first["attempt"], last["attempt"], last["level"]) == (1, 2, "info")
    assert first["at"].endswith("Z")
    assert body["next_cursor"] is None


def test_pages_go_on_after_the_last_line_also_of_one_level(caller: Caller, job: Job) -> None:
    for level, expected in ((None, "abcde"), ("info", "ace")):
        asked: dict[str, Any] = {"limit": 2} | ({"level": level} if level else {})
        seen: list[str] = []
        while True:
            body = caller.get(f"/jobs/{job.pk}/logs", **asked).body
            seen += messages(body)
            if body["next_cursor"] is None:
                break
            asked["cursor"] = body["next_cursor"]
        assert "".join(seen) == expected


def test_an_unknown_level_is_refused_and_a_job_that_logs_nothing_has_an_empty_list(
    caller: Caller, acme: Tenant, job: Job, make_job: MakeJob
) -> None:
    assert caller.get(f"/jobs/{job.pk}/logs", level="loud").pointers == ["/level"]
    assert caller.get(f"/jobs/{make_job(acme).pk}/logs").body == {"items": [], "next_cursor": None}
    assert caller.get(f"/jobs/{job.pk}/logs", level="debug").body["items"] == []
