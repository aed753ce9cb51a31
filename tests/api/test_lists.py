"""GET /jobs: filters and pages; GET /jobs/{id}/attempts; /job-types; /queues."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import Tenant
from jobs import registry
from jobs.models import Attempt, AttemptOutcome, Queue, Worker
from jobs.states import Status
from tests.api import kinds
from tests.api.calling import Answer, Caller
from tests.api.conftest import MakeCaller, MakeJob


def ids(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return [item["id"] for item in answer.body["items"]]


def pages(caller: Caller, path: str, **query: Any) -> list[list[Any]]:
    found, cursor = [], None
    while True:
        answer = caller.get(path, **query, **({"cursor": cursor} if cursor else {}))
        assert answer.status == 200, answer.body
        found.append(answer.body["items"])
        cursor = answer.body["next_cursor"]
        if cursor is None:
            return found


def test_pages_go_on_where_the_last_one_ended_newest_first(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    newest_first = [str(make_job(acme).pk) for _ in range(7)][::-1]
    found = pages(caller, "/jobs", limit=3)
    assert [len(page) for page in found] == [3, 3, 1]
    assert [item["id"] for page in found for item in page] == newest_first


def test_a_job_that_comes_in_between_pages_shifts_nothing(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    old = [str(make_job(acme).pk) for _ in range(4)][::-1]
    first = caller.get("/jobs", limit=2)
    make_job(acme)
    second = caller.get("/jobs", limit=2, cursor=first.body["next_cursor"])
    assert ids(first) + ids(second) == old


def test_an_exactly_full_page_is_the_last(caller: Caller, acme: Tenant, make_job: MakeJob) -> None:
    make_job(acme)
    make_job(acme)
    assert caller.get("/jobs", limit=2).body["next_cursor"] is None


def test_the_pages_of_all_tenants_go_by_age_as_well(
    acme: Tenant, other: Tenant, platform: Any, make_job: MakeJob
) -> None:
    newest_first = [str(make_job(one).pk) for one in (acme, other, acme, other)][::-1]
    found = pages(platform("*"), "/jobs", limit=3)
    assert [item["id"] for page in found for item in page] == newest_first


def test_a_cursor_serves_its_own_list_only(
    caller: Caller, acme: Tenant, other: Tenant, caller_of: MakeCaller, make_job: MakeJob
) -> None:
    for tenant in (acme, acme, other, other):
        make_job(tenant, owner="eve")
    cursor = caller.get("/jobs", limit=1).body["next_cursor"]
    refused = [
        caller.get("/jobs", limit=1, cursor=cursor + "x"),
        caller.get("/jobs", limit=1, cursor=cursor[:-1]),
        caller.get("/jobs", limit=1, cursor="WzFd"),
        caller.get("/jobs", limit=1, cursor=""),
        caller.get("/jobs", limit=1, cursor=cursor, status="queued"),
        caller.get("/queues", cursor=cursor),
        caller_of(other).get("/jobs", limit=1, cursor=cursor),
        caller_of(acme, owner="eve").get("/jobs", limit=1, cursor=cursor),
    ]
    assert [answer.pointers for answer in refused] == [["/cursor"]] * len(refused)
    assert caller.get("/jobs", limit=2, cursor=cursor).status == 200


@pytest.mark.parametrize("limit", ["0", "201", "-1", "1.5", "x", "", "²", "9" * 5000])
def test_a_limit_is_1_to_200(limit: str, caller: Caller) -> None:
    assert caller.get("/jobs", limit=limit).pointers == ["/limit"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "abcdef"),
        ({"status": "queued"}, "a"),
        ({"status": ["failed", "queued"]}, "aef"),
        ({"status": "blocked"}, ""),
        ({"type": kinds.report.name}, "abcdef"),
        ({"type": "diagnostics.echo"}, ""),
        ({"queue": "default"}, "acdef"),
        ({"queue": "side"}, "b"),
        ({"level": "high"}, "b"),
        ({"level": "normal"}, "acdef"),
        ({"level": "urgent"}, ""),
        ({"level": "70"}, "b"),
        ({"level": "69"}, "acdef"),
        ({"owner": "eve"}, "c"),
        ({"label": "course:7"}, "d"),
        ({"label": "course:8"}, ""),
        ({"label": "url:http://x"}, "d"),
        ({"dead": "true"}, "e"),
        ({"dead": "false"}, "abcdf"),
        ({"created_after": "2001-01-01T00:00:00Z"}, "abcdef"),
        ({"created_before": "2001-01-01T00:00:00Z"}, ""),
        ({"status": "failed", "dead": "false"}, "f"),
    ],
)
def test_filters_choose_the_jobs_they_name(
    query: dict[str, Any], expected: str, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    Queue.objects.get_or_create(name="side")
    jobs = {
        "a": make_job(acme),
        "b": make_job(acme, Status.SCHEDULED, queue="side", priority="high"),
        "c": make_job(acme, Status.PROCESSING, owner="eve"),
        "d": make_job(acme, Status.COMPLETED, labels={"course": "7", "url": "http://x"}),
        "e": make_job(acme, Status.FAILED),
        "f": make_job(acme, Status.FAILED, row={"discarded_at": timezone.now()}),
    }
    by_id = {str(job.pk): name for name, job in jobs.items()}
    assert "".join(sorted(by_id[one] for one in ids(caller.get("/jobs", **query)))) == expected


@pytest.mark.parametrize(
    "query",
    [
        {"status": "running"},
        {"status": ["queued", "x"]},
        {"status": ""},
        {"type": "nobody.knows"},
        {"queue": "nowhere"},
        {"queue": "\x00"},
        {"level": "asap"},
        {"level": "101"},
        {"level": "-1"},
        {"owner": "a\x00b"},
        {"owner": ["a", "b"]},
        {"label": "course"},
        {"label": ":7"},
        {"dead": "yes"},
        {"created_after": "yesterday"},
        {"created_before": "2026-01-01T00:00:00"},
        {"created_before": "0001-01-01T00:00:00+14:00"},
        {"batch_id": "0199"},
        {"schedule_id": "0199"},
        {"tenant": "other"},
        {"status__in": "queued"},
        {"offset": "1"},
        {"format": "api"},
        {"order": "seq"},
    ],
)
def test_an_unknown_parameter_or_value_is_422_that_names_it(
    query: dict[str, Any], caller: Caller
) -> None:
    assert caller.get("/jobs", **query).pointers == [f"/{next(iter(query))}"]


def test_no_job_has_a_schedule(caller: Caller, acme: Tenant, make_job: MakeJob) -> None:
    make_job(acme)
    assert caller.get("/jobs", schedule_id=str(uuid4())).body["items"] == []


def test_a_parameter_is_named_by_an_escaped_pointer(caller: Caller) -> None:
    assert caller.get("/jobs", **{"a/b~": "1"}).pointers == ["/a~1b~0"]


def test_every_wrong_filter_is_named_at_once(caller: Caller) -> None:
    answer = caller.get("/jobs", status="x", level="y", dead="z")
    assert sorted(answer.pointers) == ["/dead", "/level", "/status"]


def test_a_list_shows_no_position(caller: Caller, acme: Tenant, make_job: MakeJob) -> None:
    make_job(acme)
    (item,) = caller.get("/jobs").body["items"]
    assert (item["position"], item["position_exact"]) == (None, None)


# --- attempts ---


def keep_attempts(job: Any, count: int) -> None:
    now = timezone.now()
    Attempt.objects.bulk_create(
        Attempt(
            job=job,
            fence=-number,
            number=number,
            run=1,
            worker="w",
            started_at=now,
            ended_at=now,
            outcome=AttemptOutcome.RETRIED,
            error={"type": "E", "message": "m", "details": {}, "traceback": "File secret.py"},
        )
        for number in range(1, count + 1)
    )


@pytest.mark.parametrize(
    ("status", "latest"),
    [(Status.PROCESSING, [None]), (Status.COMPLETED, ["completed"]), (Status.QUEUED, [])],
)
def test_attempts_are_the_kept_ones_and_the_one_that_runs_or_completed(
    status: Status, latest: list[str | None], caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, status)
    keep_attempts(job, 2)
    items = caller.get(f"/jobs/{job.pk}/attempts").body["items"]
    assert [item["outcome"] for item in items] == [*latest, "retried", "retried"]
    assert set(items[-1]) == {"number", "worker", "started_at", "ended_at", "outcome", "error"}
    assert (items[0]["ended_at"] is None) == (status == Status.PROCESSING)


def test_attempts_come_in_pages_too(caller: Caller, acme: Tenant, make_job: MakeJob) -> None:
    job = make_job(acme, Status.COMPLETED)
    keep_attempts(job, 4)
    found = pages(caller, f"/jobs/{job.pk}/attempts", limit=2)
    assert [[item["outcome"] for item in page] for page in found] == [
        ["completed", "retried"],
        ["retried", "retried"],
        ["retried"],
    ]


def test_a_traceback_is_for_the_scope_admin_only(
    caller: Caller, acme: Tenant, caller_of: MakeCaller, make_job: MakeJob
) -> None:
    job = make_job(acme, Status.FAILED)
    keep_attempts(job, 1)
    for path in (f"/jobs/{job.pk}", "/jobs", f"/jobs/{job.pk}/attempts"):
        assert "secret.py" not in str(caller.get(path).body)
        assert "secret.py" in str(caller_of(acme).get(path).body)
    assert caller.get(f"/jobs/{job.pk}").body["error"] == {
        "type": "E",
        "message": "m",
        "details": {},
    }


# --- what can be asked for ---


def test_job_types_tell_their_retry_policy_and_their_payload(caller: Caller) -> None:
    items = {item["name"]: item for item in caller.get("/job-types", limit=200).body["items"]}
    assert items.keys() == {one.name for one in registry.public()}
    report = items[kinds.report.name]
    assert (report["queue"], report["max_retries"], report["timeout_seconds"]) == (
        "default",
        2,
        600,
    )
    assert report["retry_backoff"] == {
        "base_seconds": 120.0,
        "factor": 2.0,
        "max_seconds": 1800.0,
        "jitter": 0.1,
    }
    assert report["payload_schema"]["required"] == ["report_id"]
    assert report["payload_schema"]["properties"]["report_id"]["type"] == "integer"


def test_job_types_come_in_pages_by_name(caller: Caller) -> None:
    found = pages(caller, "/job-types", limit=1)
    assert [item["name"] for page in found for item in page] == [
        one.name for one in registry.public()
    ]


def test_a_queue_tells_what_waits_in_it(caller: Caller, acme: Tenant, make_job: MakeJob) -> None:
    make_job(acme, priority="high", row={"created_at": timezone.now() - timedelta(seconds=90)})
    make_job(acme, priority="low")
    make_job(acme, Status.PROCESSING)
    make_job(acme, Status.FAILED)
    Worker.objects.create(name="w1", incarnation=uuid4(), queues=["default"])
    old = timezone.now() - timedelta(hours=1)
    Worker.objects.create(name="w2", incarnation=uuid4(), queues=["default"], seen_at=old)
    queue = caller.get("/queues/default").body
    assert 90 <= queue.pop("oldest_waiting_seconds") < 120
    assert queue == {
        "name": "default",
        "depth": {"urgent": 0, "high": 1, "normal": 0, "low": 1},
        "counts": {
            "blocked": 0,
            "scheduled": 0,
            "queued": 2,
            "processing": 1,
            "completed": 0,
            "failed": 1,
            "cancelled": 0,
        },
        "counts_exact": True,
        "paused": False,
        "max_concurrency": None,
        "rate_limit": None,
        "weight": 1,
        "workers": 1,
    }


def test_queues_come_in_pages_by_name(caller: Caller) -> None:
    for name in ("a", "zz"):
        Queue.objects.get_or_create(name=name)
    names = [item["name"] for page in pages(caller, "/queues", limit=1) for item in page]
    assert names == sorted(names)
    assert {"a", "default", "zz"} <= set(names)


@pytest.mark.parametrize("name", ["nowhere", "%00", "Default", "de fault"])
def test_an_unknown_queue_is_404(name: str, caller: Caller) -> None:
    assert caller.get(f"/queues/{name}").status == 404
