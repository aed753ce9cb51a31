"""Nobody sees the platform's own jobs over the API, and nobody can ask for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Tenant
from accounts.tenants import platform_of
from jobs.apps import make_queues
from jobs.models import Job, Pause, PauseKind, Worker
from jobs.operations import Actor
from jobs.policies import pausing
from jobs.states import Status
from tests.api import kinds
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller, MakeJob
from tests.jobs import making, ours
from tests.jobs.limited import worker
from tests.testapp.ours import OURS, QUEUE

EVE = Actor(name="user:eve")
WHO = ["the tenant's admin", "for the tenant", "for all"]
STEP = {"type": OURS, "payload": {}}
REPORT = {"type": kinds.report.name, "payload": {"report_id": 1}}
PLACES = (
    "/jobs", "/stats", "/queues", "/queues/default", "/failures", "/health", "/job-types",
    "/pauses", "/batches", "/workflows",
    *(f"/jobs?{query}" for query in ("status=failed", "dead=true", "level=normal", "limit=1")),
    *(f"/stats/series?metric={name}" for name in ("depth", "processing", "throughput")),
)  # fmt: skip
_PASSING = frozenset({"waiting_seconds", "oldest_waiting_seconds", "latency_ms", "silent_seconds"})


@pytest.fixture(autouse=True)
def _queue(db: None) -> None:
    make_queues()


@pytest.fixture
def callers(acme: Tenant, caller_of: MakeCaller, platform: Callable[..., Caller]) -> Any:
    return dict(zip(WHO, (caller_of(acme), platform("acme"), platform("*")), strict=True))


def lasting(body: Any) -> Any:
    """Without what differs from one moment to the next."""
    if isinstance(body, list):
        return [lasting(each) for each in body]
    if isinstance(body, dict):
        return {name: lasting(each) for name, each in body.items() if name not in _PASSING}
    return body


def seen(caller: Caller) -> dict[str, Any]:
    found = {}
    for place in PLACES:
        path, _, query = place.partition("?")
        pairs = dict(pair.split("=") for pair in query.split("&") if pair)
        answer = caller.get(path, **pairs)
        assert answer.status == 200, (place, answer.body)
        found[place] = lasting(answer.body)
    return found


@pytest.mark.parametrize("who", WHO)
def test_no_list_and_no_figure_has_them(
    who: str, callers: dict[str, Caller], acme: Tenant, make_job: MakeJob
) -> None:
    for status in (Status.QUEUED, Status.COMPLETED, Status.FAILED):
        make_job(acme, status)
    before = seen(callers[who])

    ours.of_every_status(acme)
    pausing.pause(PauseKind.QUEUE, QUEUE, EVE)
    pausing.pause(PauseKind.TYPE, OURS, EVE)
    after = seen(callers[who])

    assert [place for place in PLACES if after[place] != before[place]] == []
    assert OURS not in str(after)
    assert "platform'" not in str(after)


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("place", ["/workers", "/health"])
def test_no_worker_tells_of_one_that_it_runs(
    place: str, who: str, callers: dict[str, Caller], acme: Tenant
) -> None:
    job = ours.one(acme)
    making.start(job)
    worker("default", QUEUE, types=(OURS,))
    Worker.objects.update(incarnation=making.INCARNATION)

    answer = callers[who].get(place)

    workers = answer.body["items" if place == "/workers" else "workers"]
    assert [one["current_jobs"] for one in workers] == [[]]
    assert str(job.pk) not in str(answer.body)


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("rest", ["", "/attempts", "/logs", "/explain"])
def test_by_its_id_one_is_as_unknown_as_any(
    who: str, rest: str, callers: dict[str, Caller], acme: Tenant
) -> None:
    job = ours.one(acme)
    assert callers[who].get(f"/jobs/{job.pk}{rest}").status == 404


@pytest.mark.parametrize("verb", ["cancel", "retry", "run-now", "discard", "boost"])
def test_no_verb_reaches_one(verb: str, callers: dict[str, Caller], acme: Tenant) -> None:
    jobs = ours.of_every_status(acme)
    before = list(Job.objects.filter(type=OURS).order_by("pk").values())
    body = {"boost": 5} if verb == "boost" else None
    for job in jobs:
        assert callers["for the tenant"].post(f"/jobs/{job.pk}/{verb}", body).status == 404
    assert list(Job.objects.filter(type=OURS).order_by("pk").values()) == before


def test_many_at_once_reach_none_of_them(
    callers: dict[str, Caller], acme: Tenant, make_job: MakeJob
) -> None:
    hidden, mine = ours.one(acme), make_job(acme)
    caller = callers["the tenant's admin"]

    named = caller.post("/jobs/bulk/cancel", {"job_ids": [str(hidden.pk)]}).body
    assert (named["matched"], named["results"][0]["error"]) == (0, "not_found")
    found = caller.post("/jobs/bulk/cancel", {"filter": {"status": ["queued"]}}).body
    assert [one["job_id"] for one in found["results"]] == [str(mine.pk)]
    hidden.refresh_from_db()
    assert hidden.status == Status.QUEUED


def test_nobody_watches_one(callers: dict[str, Caller], acme: Tenant) -> None:
    body = {"job_id": str(ours.one(acme).pk)}
    assert callers["the tenant's admin"].post("/events/ticket", body).status == 404


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_platforms_own_tenant_is_as_unknown_as_any(
    method: str, acme: Tenant, platform: Callable[..., Caller]
) -> None:
    slug = platform_of(acme).slug
    body = b"{}" if method == "POST" else b""
    for name in (slug, "nobody"):
        assert platform(name).call(method, "/jobs", data=body).status == 404
    assert platform().get(f"/tenants/{slug}").status == 404
    assert platform().patch(f"/tenants/{slug}", {"plan": "free"}).status == 404
    assert slug not in str(platform().get("/tenants").body)


ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "a job": ("/jobs", STEP),
    "a batch of one type": ("/batches", {"type": OURS, "items": [{}], "atomic": True}),
    "a callback": ("/batches", {"jobs": [REPORT], "on_complete": STEP}),
    "a step": ("/workflows", {"steps": {"one": STEP}}),
    "a schedule": ("/schedules", {"name": "s", "cron_expression": "@daily", **STEP}),
}


@pytest.mark.parametrize("what", ASKED)
def test_asked_for_it_is_refused_as_a_type_that_does_not_exist_is(
    what: str, callers: dict[str, Caller]
) -> None:
    path, body = ASKED[what]
    caller = callers["the tenant's admin"]

    asked = caller.post(path, body)
    missing = caller.post(path, _renamed(body))

    assert asked.status == 422, asked.body
    assert str(asked.body).replace(OURS, "testing.none") == str(missing.body)
    assert not Job.objects.exists()


def _renamed(body: Any) -> Any:
    if isinstance(body, dict):
        return {name: _renamed(each) for name, each in body.items()}
    if isinstance(body, list):
        return [_renamed(each) for each in body]
    return "testing.none" if body == OURS else body


QUEUED: dict[str, tuple[str, dict[str, Any]]] = {
    "a job": ("/jobs", {**REPORT, "queue": QUEUE}),
    "a schedule": (
        "/schedules", {"name": "s", "cron_expression": "@daily", **REPORT, "queue": QUEUE},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", QUEUED)
def test_its_queue_takes_no_other_job(what: str, callers: dict[str, Caller]) -> None:
    path, body = QUEUED[what]
    assert callers["the tenant's admin"].post(path, body).pointers == ["/queue"]


@pytest.mark.parametrize("filter_", [{"queue": QUEUE}, {"type": OURS}])
def test_no_filter_knows_it(filter_: dict[str, str], callers: dict[str, Caller]) -> None:
    for caller in callers.values():
        assert caller.get("/jobs", **filter_).status == 422


def test_its_queue_exists_only_for_who_would_make_it_again(
    platform: Callable[..., Caller],
) -> None:
    caller = platform()
    assert caller.get(f"/queues/{QUEUE}").status == 404
    assert caller.patch(f"/queues/{QUEUE}", {"weight": 2}).status == 404
    assert caller.post(f"/queues/{QUEUE}/pause").status == 404
    assert caller.post(f"/queues/{QUEUE}/resume").status == 404
    assert caller.post("/queues", {"name": QUEUE}).status == 409


@pytest.mark.parametrize(("kind", "target"), [("queue", QUEUE), ("type", OURS)])
def test_a_program_neither_pauses_it_nor_ends_a_pause_of_it(
    kind: str, target: str, platform: Callable[..., Caller]
) -> None:
    caller = platform()
    assert caller.post("/pauses", {"kind": kind, "target": target}).pointers == ["/target"]
    pause, _ = pausing.pause(PauseKind(kind), target, EVE)
    assert caller.call("DELETE", f"/pauses/{pause.pk}").status == 404
    assert Pause.objects.filter(pausing.IN_FORCE, pk=pause.pk).exists()
