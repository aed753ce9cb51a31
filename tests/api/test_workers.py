"""GET /workers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db.models.functions import Now

from accounts.models import Tenant
from accounts.scopes import Scope
from jobs import registry
from jobs.models import Worker
from jobs.states import Status
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller, MakeJob


@pytest.fixture
def reader(acme: Tenant, caller_of: MakeCaller) -> Caller:
    return caller_of(acme, [Scope.WORKERS_READ])


def worker(name: str, incarnation: UUID | None = None, **row: Any) -> None:
    Worker.objects.create(name=name, incarnation=incarnation or uuid4(), slots=4, **row)


def test_a_worker_tells_what_it_is_and_does(
    reader: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, Status.PROCESSING)
    assert job.incarnation is not None
    worker("w@host", job.incarnation, queues=["default"], version="1.2", memory_bytes=7)
    (item,) = reader.get("/workers").body["items"]
    assert item.pop("started_at").endswith("Z")
    assert item.pop("seen_at").endswith("Z")
    assert item == {
        "name": "w@host",
        "state": "busy",
        "queues": ["default"],
        "slots": 4,
        "current_jobs": [str(job.pk)],
        "version": "1.2",
        "memory_bytes": 7,
    }


def test_g10_another_tenants_job_is_not_named(
    reader: Caller, other: Tenant, make_job: MakeJob, platform: Any
) -> None:
    job = make_job(other, Status.PROCESSING)
    worker("w", job.incarnation)
    assert reader.get("/workers").body["items"][0]["current_jobs"] == []
    assert platform("*").get("/workers").body["items"][0]["current_jobs"] == [str(job.pk)]


def test_workers_of_the_platforms_own_jobs_are_shown_to_platform_admins_alone(
    reader: Caller, platform: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "internal_queues", lambda: {"ours"})
    worker("both", queues=["default", "ours"])
    worker("new", queues=[])
    worker("own", queues=["ours"])

    def seen(caller: Caller) -> list[str]:
        return [item["name"] for item in caller.get("/workers").body["items"]]

    assert seen(reader) == ["both", "new"]
    assert seen(platform("*")) == ["both", "new", "own"]


def test_workers_come_in_pages_by_name(reader: Caller) -> None:
    for name in ("c", "a", "b"):
        worker(name)
    first = reader.get("/workers", limit=2).body
    second = reader.get("/workers", limit=2, cursor=first["next_cursor"]).body
    assert [item["name"] for item in first["items"] + second["items"]] == ["a", "b", "c"]
    assert second["next_cursor"] is None


def test_a_silent_worker_is_lost(reader: Caller) -> None:
    worker("w")
    Worker.objects.update(seen_at=Now() - timedelta(minutes=1))
    assert reader.get("/workers").body["items"][0]["state"] == "lost"
