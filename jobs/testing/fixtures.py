"""pytest's door to the kit: `pytest_plugins = ["jobs.testing.fixtures"]` in your conftest.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Tenant
from accounts.models.tenant import DEFAULT_TENANT
from jobs.apps import make_queues
from jobs.job_type import JobType
from jobs.models import Job
from jobs.testing.clock import FakeClock, fake_clock
from jobs.testing.enqueued import Type, assert_enqueued, assert_not_enqueued, enqueued
from jobs.testing.running import drain, run_inline


class Jobs:
    """The kit's functions as methods, and a clock. `tenant` is whose jobs `run` hands in."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.tenant: Tenant | str = DEFAULT_TENANT

    def run(self, what: Job | JobType[..., Any], /, **keywords: Any) -> Job:
        return run_inline(what, **{"tenant": self.tenant, **keywords})

    def drain(
        self, queue: str | None = None, *, limit: int = 1000, skip_waits: bool = False
    ) -> list[Job]:
        return drain(queue, limit=limit, skip_waits=skip_waits)

    def advance(self, by: timedelta | None = None, **parts: float) -> None:
        self.clock.advance(by, **parts)

    def enqueued(self, type: Type | None = None, **wanted: Any) -> list[Job]:
        return enqueued(type, **wanted)

    def assert_enqueued(
        self, type: Type, payload: Mapping[str, Any] | None = None, **wanted: Any
    ) -> list[Job]:
        return assert_enqueued(type, payload, **wanted)

    def assert_not_enqueued(
        self, type: Type, payload: Mapping[str, Any] | None = None, **wanted: Any
    ) -> None:
        assert_not_enqueued(type, payload, **wanted)


@pytest.fixture
def celeriac_jobs(db: None) -> Iterator[Jobs]:
    """Jobs in this test, run in its process. It has the database, in a transaction unless the test
    is marked `django_db(transaction=True)`."""
    Tenant.objects.get_or_create(slug=DEFAULT_TENANT)
    make_queues()
    with fake_clock() as clock:
        yield Jobs(clock)
