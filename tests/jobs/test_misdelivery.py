"""A worker gives back what it received and does not know."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from accounts.models import Tenant
from jobs import lifecycle
from jobs.message import encode
from jobs.models import Job
from jobs.worker import misdelivery
from jobs.worker.misdelivery import MOST, Misdelivered
from jobs.worker.taken import named_jobs
from tests.jobs import making


class Message:
    """As kombu hands it out."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def decode(self) -> Any:
        if isinstance(self._body, Exception):
            raise self._body
        return self._body


@pytest.fixture
def misdelivered(monkeypatch: pytest.MonkeyPatch) -> Misdelivered:
    """Whose thread is the test's own."""
    monkeypatch.setattr(Misdelivered, "_work", lambda self: None)
    monkeypatch.setattr(connection, "close", lambda: None)
    monkeypatch.setattr(misdelivery, "close_old_connections", lambda: None)
    return Misdelivered()


def test_a_message_names_its_jobs() -> None:
    jobs = [making.stranger(), making.stranger()]

    assert named_jobs(Message([[encode(jobs)], {}, {}])) == jobs


@pytest.mark.parametrize(
    "body",
    [5, None, [], {}, "text", [[], {}, {}], [[[]], {}, {}], [[[["no uuid", 1]]], {}, {}],
     [{}, {}, {}], [1, 2, 3], KeyError("x"), RecursionError(), RuntimeError()],
)  # fmt: skip
def test_what_is_no_message_of_ours_names_none(body: Any) -> None:
    assert named_jobs(Message(body)) == []


def test_a_job_is_ready_again_and_its_message_claims_nothing(
    tenant: Tenant, misdelivered: Misdelivered
) -> None:
    job = making.queued(tenant)
    sent = making.send(job)
    misdelivered.note([sent])

    assert misdelivered.give_back() == 1

    assert list(Job.objects.ready()) == [job]
    assert making.take(sent) is None
    assert misdelivered.give_back() == 0


def test_a_job_that_went_on_meanwhile_stays_as_it_is(
    tenant: Tenant, misdelivered: Misdelivered
) -> None:
    running, sent_again = making.queued(tenant), making.queued(tenant)
    first = making.send(sent_again)
    taken = making.send(running)
    making.take(taken)
    lifecycle.withdraw([first])
    making.send(sent_again)
    before = [making.row(job) for job in (running, sent_again)]
    misdelivered.note([taken, first, making.stranger()])

    assert misdelivered.give_back() == 0

    assert [making.row(job) for job in (running, sent_again)] == before


def test_a_flood_takes_no_more_than_a_bounded_room(misdelivered: Misdelivered) -> None:
    for _ in range(MOST + 5):
        misdelivered.note([making.stranger()])

    assert len(misdelivered._jobs) == MOST
