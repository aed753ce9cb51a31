"""A tenant, the queues, and what the engine announced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import Tenant
from jobs import registry
from jobs.lifecycle import Move
from jobs.models import Job, Queue
from jobs.signals import job_moved
from tests.jobs import kinds


@pytest.fixture
def queues(db: None) -> None:
    """The queues that the tests name; a test with real commits finds them gone."""
    names = (kinds.QUEUE, "reports", "mail")
    Queue.objects.bulk_create((Queue(name=name) for name in names), ignore_conflicts=True)


@pytest.fixture
def tenant(queues: None) -> Tenant:
    return Tenant.objects.create(slug="acme", plan_name="enterprise")


@pytest.fixture
def other(queues: None) -> Tenant:
    return Tenant.objects.create(slug="other", plan_name="free")


@pytest.fixture
def announced() -> Iterator[list[tuple[str, list[Move]]]]:
    """What `job_moved` told, as (transition, moves), in order."""
    told: list[tuple[str, list[Move]]] = []

    def receive(*, transition: str, moves: list[Move], **_: Any) -> None:
        told.append((transition, moves))

    job_moved.connect(receive, sender=Job)
    yield told
    job_moved.disconnect(receive, sender=Job)


@pytest.fixture
def declaring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Job types that this test declares are forgotten after it."""
    monkeypatch.setattr(registry, "_types", dict(registry._types))
