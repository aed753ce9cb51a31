"""POST /queues and PATCH /queues/{name}; the limits that /queues and /job-types tell."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import AuditEntry, Tenant
from jobs import Circuit, JobContext, job_type, registry
from jobs.models import Queue
from tests.api.calling import Answer, Caller
from tests.api.test_schema import check, schema

Platform = Callable[..., Caller]


def patch(caller: Caller, body: object, name: str = "default") -> Answer:
    return caller.call("PATCH", f"/queues/{name}", data=json.dumps(body).encode())


def test_a_queue_is_made_once(platform: Platform, caller: Caller) -> None:
    body = {"name": "slow", "max_concurrency": 1, "rate_limit": "100/m"}
    made = platform().post("/queues", body)
    assert made.status == 201
    assert {**body, "weight": 1, "paused": False}.items() <= made.body.items()
    assert caller.get("/queues/slow").body == made.body
    again = platform().post("/queues", body)
    assert (again.status, again.body["type"]) == (409, "urn:celeriac:problem:queue-exists")


def test_limits_are_changed_one_by_one_and_taken_away(platform: Platform, caller: Caller) -> None:
    def limits(answer: Answer) -> tuple[Any, ...]:
        assert answer.status == 200
        return tuple(answer.body[name] for name in ("max_concurrency", "rate_limit", "weight"))

    assert limits(patch(platform(), {"max_concurrency": 1})) == (1, None, 1)
    assert limits(patch(platform(), {"rate_limit": "100/m", "weight": 5})) == (1, "100/m", 5)
    assert limits(patch(platform(), {"max_concurrency": None, "rate_limit": None})) == (
        None,
        None,
        5,
    )
    assert limits(patch(platform(), {})) == limits(caller.get("/queues/default")) == (None, None, 5)
    entries = AuditEntry.objects.filter(action="queue.change").order_by("pk")
    assert [entry.after["max_concurrency"] for entry in entries if entry.after] == [1, 1, None]
    assert {(entry.object_id, entry.tenant) for entry in entries} == {("default", None)}


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"max_concurrency": 0}, ["/max_concurrency"]),
        ({"max_concurrency": 2**31}, ["/max_concurrency"]),
        ({"max_concurrency": "1"}, ["/max_concurrency"]),
        ({"rate_limit": "fast"}, ["/rate_limit"]),
        ({"rate_limit": "20000/m"}, ["/rate_limit"]),
        ({"rate_limit": 5}, ["/rate_limit"]),
        ({"weight": 0}, ["/weight"]),
        ({"weight": None}, ["/weight"]),
        ({"name": "other"}, ["/name"]),
    ],
)
def test_limits_that_make_no_sense_are_refused(
    body: dict[str, Any], pointers: list[str], platform: Platform, acme: Tenant
) -> None:
    before = Queue.objects.filter(pk="default").values().get()
    assert patch(platform(), body).pointers == pointers
    assert Queue.objects.filter(pk="default").values().get() == before


@pytest.mark.parametrize("name", ["", "Upper", "a b", "-a", "a\n", "x" * 101, 7])
def test_a_name_that_cannot_be_one_is_refused(name: object, platform: Platform) -> None:
    assert platform().post("/queues", {"name": name}).pointers == ["/name"]


def test_limits_of_a_queue_that_does_not_exist_are_not_found(platform: Platform) -> None:
    assert patch(platform(), {"weight": 2}, name="nowhere").status == 404


def test_a_job_type_tells_its_limits(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_types", {})

    @job_type(
        "tests.limited", max_concurrency=3, rate_limit="100/m", limit_key="site:{site}",
        key_max_concurrency=1, key_rate_limit="5/2s", circuit=Circuit(failures=4, open_seconds=30),
    )  # fmt: skip
    def limited(context: JobContext, *, site: str) -> None: ...

    @job_type("tests.own_key", limit_key=lambda site: str(site))
    def own_key(context: JobContext, *, site: str) -> None: ...

    answer = caller.get("/job-types").body
    check(answer, schema()["components"]["schemas"]["JobTypePage"])
    told, computed = answer["items"]
    assert {
        "max_concurrency": 3, "rate_limit": "100/m", "limit_key": "site:{site}",
        "key_max_concurrency": 1, "key_rate_limit": "5/2s",
        "circuit": {"failures": 4, "open_seconds": 30.0},
    }.items() <= told.items()  # fmt: skip
    assert (computed["limit_key"], computed["max_concurrency"], computed["circuit"]) == (
        "computed",
        None,
        None,
    )
