"""GET /stats and /stats/series."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Tenant
from jobs.states import Status
from jobs.stats import METRICS
from jobs.stats.rollup import roll_up
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller, MakeJob
from tests.jobs.crowd import crowd


def stats(caller: Caller) -> dict[str, Any]:
    answer = caller.get("/stats")
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.body
    return body


def test_an_empty_installation_has_figures_too(caller: Caller) -> None:
    body = stats(caller)
    assert body["counts"]["status"] == {status.value: 0 for status in Status}
    assert body["counts"]["level"] == {"urgent": 0, "high": 0, "normal": 0, "low": 0}
    assert body["throughput"] == {"minute": 0, "hour": 0, "day": 0}
    assert body["failure_rate"] == {"minute": None, "hour": None, "day": None}
    assert body["wait"] == {"p50": None, "p95": None, "p99": None}
    assert (body["avg_duration_seconds"], body["retry_success_rate"]) == (None, None)
    assert (body["oldest_waiting_job"], body["recent_jobs"]) == (None, [])
    assert body["estimated_wait_seconds"] == 0
    assert body["counts_exact"] is True


def test_figures_are_exact_right_after_a_job_ended(caller: Caller, acme: Tenant) -> None:
    crowd(acme, 6, Status.COMPLETED, ago=30)
    crowd(acme, 1, Status.FAILED, ago=30, retry_count=1)
    assert stats(caller)["throughput"] == {"minute": 7, "hour": 7, "day": 7}
    roll_up()
    crowd(acme, 1, Status.FAILED, retry_count=1)
    crowd(acme, 2, Status.COMPLETED, retry_count=2)
    body = stats(caller)
    assert body["throughput"] == {"minute": 10, "hour": 10, "day": 10}
    assert body["failure_rate"] == {"minute": 0.2, "hour": 0.2, "day": 0.2}
    assert body["counts"]["status"]["completed"] == 8
    assert body["avg_duration_seconds"] == 1
    assert body["retry_success_rate"] == 0.5
    assert body["wait"]["p95"] == pytest.approx(1, rel=0.2)


def test_the_wait_of_a_new_job_is_estimated_by_what_was_measured(
    caller: Caller, acme: Tenant
) -> None:
    crowd(acme, 12)
    assert stats(caller)["estimated_wait_seconds"] is None
    crowd(acme, 60, Status.COMPLETED, ago=5)
    assert stats(caller)["estimated_wait_seconds"] == 12


def test_recent_jobs_are_the_ten_newest_without_payload_and_result(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    jobs = [make_job(acme, Status.COMPLETED) for _ in range(12)]
    recent = stats(caller)["recent_jobs"]
    assert [item["id"] for item in recent] == [str(job.pk) for job in jobs[:1:-1]]
    assert not {"payload", "result", "error", "tenant"} & set(recent[0])
    assert stats(caller)["oldest_waiting_job"] is None
    waiting = make_job(acme)
    make_job(acme)
    oldest = stats(caller)["oldest_waiting_job"]
    assert oldest["id"] == str(waiting.pk)
    assert oldest["waiting_seconds"] >= 0


def test_g10_figures_are_of_the_callers_own_jobs_only(
    acme: Tenant, other: Tenant, platform: Any, caller_of: MakeCaller
) -> None:
    crowd(acme, 2, Status.COMPLETED, ago=90)
    crowd(acme, 1, owner="eve")
    crowd(acme, 3, Status.COMPLETED, ago=90, owner="eve")
    crowd(other, 4, Status.FAILED, ago=90)
    for _ in range(2):
        whole, eve = stats(caller_of(acme)), stats(caller_of(acme, owner="eve"))
        assert (whole["throughput"]["day"], eve["throughput"]["day"]) == (5, 3)
        assert whole["counts"]["status"]["failed"] == 0
        assert whole["counts"]["status"]["completed"] == 5
        assert eve["counts"]["status"]["completed"] == 3
        assert {job["owner"] for job in eve["recent_jobs"]} == {"eve"}
        assert len(eve["recent_jobs"]) == 4
        everybodys = stats(platform("*"))
        assert everybodys["throughput"]["day"] == 9
        assert {job["tenant"] for job in everybodys["recent_jobs"]} == {"acme", "other"}
        roll_up()


def test_a_series_is_a_tenants_own(acme: Tenant, other: Tenant, caller_of: MakeCaller) -> None:
    crowd(acme, 3, Status.COMPLETED, ago=90)
    crowd(other, 5, Status.COMPLETED, ago=90)
    roll_up()
    body = caller_of(acme).get("/stats/series", metric="throughput").body
    assert (body["metric"], body["range"], body["step"], body["unit"]) == (
        "throughput",
        "1h",
        "1m",
        "jobs",
    )
    assert len(body["points"]) == 60
    assert sum(point["value"] for point in body["points"]) == 3


def test_an_owner_has_no_charts(acme: Tenant, caller_of: MakeCaller) -> None:
    answer = caller_of(acme, owner="eve").get("/stats/series", metric="depth")
    assert answer.status == 403


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("query", "points"),
    [
        ({}, 60),
        ({"range": "6h"}, 72),
        ({"range": "24h"}, 288),
        ({"range": "7d"}, 168),
        ({"range": "24h", "step": "1m"}, 1440),
        ({"step": "1h"}, 1),
    ],
)
def test_every_metric_has_its_points(
    metric: str, query: dict[str, str], points: int, caller: Caller
) -> None:
    body = caller.get("/stats/series", metric=metric, **query).body
    assert len(body["points"]) == points


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({}, "/metric"),
        ({"metric": "luck"}, "/metric"),
        ({"metric": ["depth", "depth"]}, "/metric"),
        ({"metric": "depth", "range": "1y"}, "/range"),
        ({"metric": "depth", "step": "1s"}, "/step"),
        ({"metric": "depth", "range": "7d", "step": "1m"}, "/step"),
        ({"metric": "depth", "range": "7d", "step": "5m"}, "/step"),
        ({"metric": "depth", "queue": "default"}, "/queue"),
    ],
)
def test_an_unknown_metric_range_step_or_parameter_is_422(
    query: dict[str, Any], pointer: str, caller: Caller
) -> None:
    assert caller.get("/stats/series", **query).pointers == [pointer]


def test_stats_take_no_parameters(caller: Caller) -> None:
    assert caller.get("/stats", queue="default").pointers == ["/queue"]
