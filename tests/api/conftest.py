"""Two tenants, callers with tokens, and jobs in any state."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from typing import Any, Protocol
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts import tokens
from accounts.models import Tenant
from accounts.rate_limits import limiting
from accounts.scopes import Scope
from config.vitals import servers
from config.vitals.probe import Probe
from jobs.enqueue import JobOptions, enqueue
from jobs.models import Job
from jobs.states import Status
from tests.api import kinds, patience
from tests.api.calling import Caller
from tests.api.limiting import forget_hits


class MakeCaller(Protocol):
    def __call__(
        self, tenant: Tenant | None, scopes: Collection[str] = ..., owner: str = ...
    ) -> Caller: ...


class MakeJob(Protocol):
    def __call__(
        self, tenant: Tenant, status: Status = ..., *, row: Any = ..., **options: Any
    ) -> Job: ...


@pytest.fixture
def acme(db: None) -> Tenant:
    return Tenant.objects.create(slug="acme", plan_name="basic")


@pytest.fixture
def other(db: None) -> Tenant:
    return Tenant.objects.create(slug="other", plan_name="enterprise")


@pytest.fixture
def caller_of(db: None) -> MakeCaller:
    def make(
        tenant: Tenant | None, scopes: Collection[str] = (Scope.ADMIN,), owner: str = ""
    ) -> Caller:
        issued = tokens.issue(name=uuid4().hex, tenant=tenant, scopes=scopes, owner=owner)
        return Caller(token=issued.text)

    return make


@pytest.fixture
def caller(acme: Tenant, caller_of: MakeCaller) -> Caller:
    """A program of acme with the everyday scopes."""
    return caller_of(acme, [Scope.JOBS_READ, Scope.JOBS_WRITE, Scope.QUEUES_READ])


@pytest.fixture
def platform(caller_of: MakeCaller) -> Callable[[str | None], Caller]:
    """A platform admin that acts for the tenant of this slug."""

    def make(slug: str | None = None) -> Caller:
        headers = {} if slug is None else {"X-Tenant": slug}
        return Caller(token=caller_of(None).token, headers=headers)

    return make


@pytest.fixture
def limits(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """On, and with empty windows, which are kept in Redis however long it takes to answer."""
    settings.RATE_LIMIT_ENABLED = True
    monkeypatch.setattr(limiting, "_limiter_at", patience.limiter_at)
    forget_hits(settings.REDIS_URL)
    yield settings
    forget_hits(settings.REDIS_URL)


@pytest.fixture
def use_noted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token's first use is written and no later one: where statements are counted, a minute that
    has passed would add one."""
    monkeypatch.setattr(tokens, "_USED_WRITTEN_EACH", timedelta(days=1))


@pytest.fixture
def patient_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis and the broker are looked at anew, and may take long to answer."""
    monkeypatch.setattr(servers, "_SECONDS", 30)
    for name in ("redis", "broker"):
        look = getattr(servers, f"_look_at_{name}")
        monkeypatch.setattr(servers, name, Probe(name, look, patience=60.0))


def _columns(status: Status) -> dict[str, Any]:
    """What the database's constraints want beside a status."""
    now = timezone.now()
    running = {
        "started_at": now,
        "incarnation": uuid4(),
        "lease_expires_at": now,
        "worker": "worker-1@test",
        "attempt": 1,
        "fence": 2,
    }
    columns: dict[Status, dict[str, Any]] = {
        Status.SCHEDULED: {"visible_at": now + timedelta(hours=1)},
        Status.PROCESSING: running,
        Status.COMPLETED: {**running, "fence": 3, "completed_at": now, "result": {"done": True}},
        Status.FAILED: {
            **running,
            "fence": 3,
            "completed_at": now,
            "error": {"type": "E", "message": "m", "details": {}, "traceback": "File secret.py"},
        },
        Status.CANCELLED: {"cancelled_at": now, "cancelled_by": "user:eve"},
    }
    return columns.get(status, {})


@pytest.fixture
def make_job() -> MakeJob:
    def make(
        tenant: Tenant, status: Status = Status.QUEUED, *, row: Any = None, **options: Any
    ) -> Job:
        made = enqueue(tenant, kinds.report.name, {"report_id": 7}, JobOptions(**options)).job
        Job.objects.filter(pk=made.pk).update(status=status, **_columns(status), **(row or {}))
        return Job.objects.get(pk=made.pk)

    return make
