"""`manage.py workers`: what it lists, does and refuses."""

from __future__ import annotations

from uuid import uuid4

import pytest

from accounts.models import AuditEntry
from jobs.models import Wish, Worker
from tests.jobs.test_commands import Said

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker() -> Worker:
    return Worker.objects.create(name="w@host", incarnation=uuid4(), slots=2, queues=["mail"])


def test_workers_are_listed_for_people_and_for_programs(worker: Worker) -> None:
    assert Said("workers", "list").out == "w@host: idle, 0 of 2 slots, takes mail\n"
    (item,) = Said("workers", "list", "--json").document["items"]
    assert (item["name"], item["state"]) == ("w@host", "idle")


def test_without_any_it_says_so() -> None:
    said = Said("workers", "list")
    assert (said.out, said.err) == ("", "No worker has reported itself.\n")


@pytest.mark.parametrize(
    ("verb", "wish", "state"),
    [
        ("pause", Wish.PAUSE, "paused"),
        ("shutdown", Wish.STOP, "stopping"),
        ("restart", Wish.RESTART, "stopping"),
    ],
)
def test_a_worker_is_asked_and_the_audit_trail_names_who_did(
    worker: Worker, verb: str, wish: Wish, state: str
) -> None:
    said = Said("workers", verb, "w@host")
    worker.refresh_from_db()
    assert (said.status, worker.wish) == (0, wish)
    assert said.out.startswith(f"w@host: {state}, ")
    entry = AuditEntry.objects.get(object_type="worker")
    assert (entry.action, entry.actor.partition(":")[0]) == (f"worker.{verb}", "command")


def test_a_paused_worker_is_resumed(worker: Worker) -> None:
    Said("workers", "pause", "w@host")
    assert Said("workers", "resume", "w@host").out.startswith("w@host: idle, ")


def test_what_cannot_be_done_is_refused_in_words(worker: Worker) -> None:
    unknown = Said("workers", "pause", "nobody")
    Said("workers", "shutdown", "w@host")
    refused = Said("workers", "resume", "w@host")
    assert (unknown.status, refused.status) == (2, 2)
    assert "no worker 'nobody'" in unknown.refusal
    assert "asked to stop already" in refused.refusal
