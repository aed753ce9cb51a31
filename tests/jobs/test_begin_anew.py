"""A worker that is to come back looks once more whether somebody wants it to end instead."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from jobs import worker_verbs
from jobs.exceptions import TransitionRefused
from jobs.models import Wish, Worker
from jobs.operations import Actor
from jobs.worker import steps
from jobs.worker.identity import WorkerIdentity
from jobs.worker.steps import KeeperStep

pytestmark = pytest.mark.django_db(transaction=True)
EVE = Actor(name="user:eve")


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows when a worker begins anew."""
    begun: list[str] = []
    monkeypatch.setattr(steps, "begin_anew", lambda: begun.append("anew"))
    return begun


@pytest.fixture
def ending() -> KeeperStep:
    """The step of a worker whose last word from the database was: begin anew."""
    step: Any = KeeperStep.__new__(KeeperStep)
    step.identity = WorkerIdentity(name="w@host", lease_seconds=30)
    step.keeper = SimpleNamespace(stop=lambda: None, stopping=False)
    step._obedience = SimpleNamespace(comes_back=True)
    Worker.objects.create(
        name="w@host", incarnation=step.identity.incarnation, wish=Wish.RESTART, stopping=True
    )
    ended: KeeperStep = step
    return ended


def test_nobody_can_ask_a_worker_that_is_about_to_begin_anew(
    ending: KeeperStep, begun: list[str]
) -> None:
    ending._end()

    assert begun == ["anew"]
    for verb in (worker_verbs.shutdown, worker_verbs.restart, worker_verbs.pause):
        with pytest.raises(TransitionRefused, match="about to stop"):
            verb("w@host", EVE)


def test_who_asks_for_a_shutdown_before_that_is_heard(ending: KeeperStep, begun: list[str]) -> None:
    worker_verbs.shutdown("w@host", EVE)

    ending._end()

    assert begun == []
    assert Worker.objects.get().wish == Wish.STOP


def test_a_worker_whose_name_another_took_does_not_come_back(
    ending: KeeperStep, begun: list[str]
) -> None:
    Worker.objects.update(incarnation=uuid4(), wish=Wish.RUN, stopping=False)

    ending._end()

    assert (begun, Worker.objects.get().stopping) == ([], False)


def test_without_the_database_it_comes_back_as_it_was_asked_to(
    ending: KeeperStep, begun: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "PORT", 1)

    ending._end()

    assert begun == ["anew"]
