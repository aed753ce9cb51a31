"""GET /health: what jobs need, part by part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NoReturn
from uuid import uuid4

import pytest
from django.db import OperationalError, connection
from django.db.models.functions import Now
from pytest_django import Settings

from accounts.models import Tenant
from config.celery import app
from config.vitals.probe import Probe, Sight
from jobs.models import Heartbeat, Job, Leadership, Worker
from jobs.states import Status
from scheduling import scheduler
from tests.api import kinds
from tests.api.calling import Answer, Caller
from tests.api.conftest import MakeCaller, MakeJob

pytestmark = pytest.mark.usefixtures("patient_probes")


@pytest.fixture
def all_there(db: None) -> None:
    """A dispatcher that leads, beat, and a worker of every queue."""
    Leadership.objects.create(duty="dispatcher", expires_at=Now() + timedelta(minutes=5))
    scheduler.show_life()
    Worker.objects.create(
        name="w", incarnation=uuid4(), queues=["default"], types=[kinds.report.name], slots=2
    )


def health(caller: Caller) -> dict[str, Any]:
    answer = caller.get("/health")
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.body
    return body


def verdict(caller: Caller, part: str) -> tuple[str, str]:
    body = health(caller)
    return body["status"], body[part]["status"]


def test_it_is_healthy_where_everything_is_there(
    caller: Caller, acme: Tenant, make_job: MakeJob, all_there: None
) -> None:
    make_job(acme)
    running = make_job(acme, Status.PROCESSING)
    Worker.objects.update(incarnation=running.incarnation)
    body = health(caller)
    assert body["status"] == "healthy"
    parts = ("database", "redis", "broker", "dispatcher", "scheduler")
    assert [body[part]["status"] for part in parts] == ["ok"] * 5
    assert all(body[part]["latency_ms"] >= 0 for part in ("database", "redis", "broker"))
    assert body["workers"] == [{"name": "w", "state": "busy", "current_jobs": [str(running.pk)]}]
    (queue,) = (queue for queue in body["queues"] if queue["name"] == "default")
    assert queue == {"name": "default", "count": 1, "count_exact": True, "workers": 1} | {
        "unknown_types": []
    }
    assert body["alerts"] == []


@pytest.mark.parametrize(("seconds", "status"), [(5, "ok"), (30, "down")])
def test_it_is_degraded_without_a_leader_for_ten_seconds(
    seconds: int, status: str, caller: Caller, all_there: None
) -> None:
    Leadership.objects.update(expires_at=Now() - timedelta(seconds=seconds))
    overall = "healthy" if status == "ok" else "degraded"
    assert verdict(caller, "dispatcher") == (overall, status)
    assert health(caller)["dispatcher"]["silent_seconds"] >= seconds


@pytest.mark.parametrize(("seconds", "status"), [(60, "ok"), (300, "down")])
def test_it_is_degraded_without_beat_for_two_minutes(
    seconds: int, status: str, caller: Caller, all_there: None
) -> None:
    Heartbeat.objects.update(seen_at=Now() - timedelta(seconds=seconds))
    overall = "healthy" if status == "ok" else "degraded"
    assert verdict(caller, "scheduler") == (overall, status)


@pytest.mark.parametrize("model", [Leadership, Heartbeat])
def test_what_was_never_there_is_down(model: Any, caller: Caller, all_there: None) -> None:
    model.objects.all().delete()
    part = "dispatcher" if model is Leadership else "scheduler"
    assert verdict(caller, part) == ("degraded", "down")
    assert health(caller)[part]["silent_seconds"] is None


@pytest.mark.parametrize("part", ["redis", "broker"])
def test_it_is_degraded_while_redis_or_the_broker_does_not_answer(
    part: str, caller: Caller, all_there: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = "redis://:password@127.0.0.1:1/0"  # a port that nothing listens on
    settings.REDIS_URL = nobody
    monkeypatch.setattr(app.conf, "broker_write_url", nobody)
    assert verdict(caller, part) == ("degraded", "down")
    assert "127.0.0.1" not in str(health(caller))


def test_it_is_degraded_by_a_queue_with_jobs_and_no_worker(
    caller: Caller, acme: Tenant, make_job: MakeJob, all_there: None
) -> None:
    Worker.objects.update(queues=["mail"])
    assert health(caller)["status"] == "healthy"
    make_job(acme)
    assert health(caller)["status"] == "degraded"


def test_it_is_degraded_by_a_job_whose_type_no_worker_of_its_queue_knows(
    caller: Caller, acme: Tenant, other: Tenant, make_job: MakeJob, all_there: None
) -> None:
    job = make_job(other)
    Job.objects.filter(pk=job.pk).update(type="shop.invoice")
    assert health(caller)["status"] == "healthy", "that is another tenant's"

    job = make_job(acme)
    Job.objects.filter(pk=job.pk).update(type="shop.invoice")
    body = health(caller)
    assert body["status"] == "degraded"
    (queue,) = (queue for queue in body["queues"] if queue["name"] == "default")
    assert queue["unknown_types"] == ["shop.invoice"]


def test_g10_it_tells_of_the_callers_own_jobs_only(
    caller: Caller, other: Tenant, make_job: MakeJob, all_there: None
) -> None:
    running = make_job(other, Status.PROCESSING)
    make_job(other)
    Worker.objects.update(incarnation=running.incarnation, queues=["mail"])
    body = health(caller)
    assert body["status"] == "healthy"
    assert body["workers"][0]["current_jobs"] == []
    assert {queue["count"] for queue in body["queues"]} == {0}


def test_any_token_may_ask_and_nobody_without(acme: Tenant, caller_of: MakeCaller) -> None:
    assert caller_of(acme, []).get("/health").status == 200
    assert Caller().get("/health").status == 401


# --- without the database -----------------------------------------------------------------


@contextmanager
def database_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def away(*_: object) -> NoReturn:
        raise OperationalError("db-7.internal refused")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", away)
        yield


def unhealthy(answer: Answer) -> dict[str, Any]:
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert "db-7" not in str(answer.body)
    body: dict[str, Any] = answer.body
    assert (body["status"], body["database"]["status"]) == ("unhealthy", "down")
    assert (body["workers"], body["queues"]) == ([], [])
    return body


def test_without_the_database_it_is_unhealthy_and_tells_a_stranger_nothing_else(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database_away(monkeypatch):
        body = unhealthy(caller.get("/health"))
        assert Caller().get("/health").status == 401
    others = ("redis", "broker", "dispatcher", "scheduler")
    assert {body[part]["status"] for part in others} == {"unknown"}


def test_a_platform_admin_is_told_of_redis_and_the_broker_all_the_same(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    settings.ADMIN_API_TOKEN = "a platform admin's token for tests"
    admin = Caller(token=settings.ADMIN_API_TOKEN)
    monkeypatch.setattr(Probe, "sight", lambda self: Sight(answers=True, seconds=0.001))
    with database_away(monkeypatch):
        body = unhealthy(admin.get("/health"))
    assert (body["redis"]["status"], body["broker"]["status"]) == ("ok", "ok")
    assert body["dispatcher"]["status"] == "unknown"


# --- beat's sign of life ------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_beat_shows_life_at_its_first_tick_and_seldom_after() -> None:
    assert app.conf.beat_scheduler == "scheduling.scheduler:Scheduler"
    beat = scheduler.Scheduler(app=app, lazy=True)
    beat.tick()
    assert Heartbeat.objects.get().duty == scheduler.DUTY
    Heartbeat.objects.all().delete()
    beat.tick()
    assert not Heartbeat.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_beat_goes_on_where_it_cannot_show_life_and_tries_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away() -> NoReturn:
        raise OperationalError("the connection is lost")

    beat = scheduler.Scheduler(app=app, lazy=True)
    with monkeypatch.context() as patch:
        patch.setattr(scheduler, "show_life", away)
        beat.tick()
    beat.tick()
    assert Heartbeat.objects.exists()
