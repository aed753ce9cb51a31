"""POST /workers/{name}/pause, /resume, /shutdown and /restart."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models.functions import Now

from accounts.models import AuditEntry, Tenant
from accounts.scopes import EVERY_SCOPE
from jobs.dispatcher.selection import live_workers
from jobs.models import Wish, Worker
from jobs.states import Status
from jobs.stats.workers import consumers
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller, MakeJob
from tests.api.operating import WORKER_CALLS

VERBS = {
    "pause": (Wish.PAUSE, "paused"),
    "resume": (Wish.RUN, "idle"),
    "shutdown": (Wish.STOP, "stopping"),
    "restart": (Wish.RESTART, "stopping"),
}
# By what the worker is asked already: which verbs are refused.
REFUSED = {
    Wish.RUN: set(),
    Wish.PAUSE: set(),
    Wish.STOP: {"pause", "resume"},
    Wish.RESTART: {"pause", "resume"},
}


@pytest.fixture
def root(platform: Any, acme: Tenant) -> Caller:
    caller: Caller = platform(acme.slug)
    return caller


@pytest.fixture(autouse=True)
def worker(db: None) -> Worker:
    return Worker.objects.create(
        name="w@host", incarnation=uuid4(), slots=4, queues=["default"], types=["a.b"]
    )


def act(caller: Caller, verb: str, name: str = "w@host") -> Any:
    return caller.post(f"/workers/{name}/{verb}", None)


def changes() -> list[tuple[str, str, Any, Any]]:
    rows = AuditEntry.objects.filter(object_type="worker").order_by("pk")
    return list(rows.values_list("action", "object_id", "before", "after"))


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("before", Wish)
def test_a_worker_is_asked_where_that_makes_sense_and_the_audit_trail_tells(
    root: Caller, worker: Worker, verb: str, before: Wish
) -> None:
    Worker.objects.update(wish=before)
    wish, state = VERBS[verb]

    answer = act(root, verb)

    worker.refresh_from_db()
    if verb in REFUSED[before]:
        assert (answer.status, worker.wish, changes()) == (409, before, [])
        return
    assert (answer.status, answer.body["name"], answer.body["state"]) == (200, "w@host", state)
    told = (f"worker.{verb}", "w@host", {"wish": before}, {"wish": wish})
    assert (worker.wish, changes()) == (wish, [] if before == wish else [told])
    assert (worker.wished_at is None) == (before == wish)


def test_a_paused_worker_shows_what_it_still_runs_and_is_sent_nothing(
    root: Caller, worker: Worker, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, Status.PROCESSING)
    Worker.objects.update(incarnation=job.incarnation)
    assert (len(live_workers()), consumers()["default"]) == (1, 1)

    body = act(root, "pause").body

    assert (body["state"], body["current_jobs"]) == ("paused", [str(job.pk)])
    assert (live_workers(), consumers()["default"]) == ([], 0)
    assert act(root, "resume").body["state"] == "busy"
    assert len(live_workers()) == 1


@pytest.mark.parametrize("verb", VERBS)
def test_a_lost_worker_and_one_that_a_signal_stops_are_refused(
    root: Caller, worker: Worker, verb: str
) -> None:
    Worker.objects.update(seen_at=Now() - timedelta(minutes=1))
    lost = act(root, verb)
    Worker.objects.update(seen_at=Now(), stopping=True)
    stopping = act(root, verb)
    assert (lost.status, stopping.status) == (409, 409)
    assert "lost" in lost.body["detail"]
    assert "about to stop" in stopping.body["detail"]
    assert changes() == []


@pytest.mark.parametrize("verb", VERBS)
def test_a_worker_that_nobody_knows_or_that_is_long_gone_is_404(
    root: Caller, worker: Worker, verb: str
) -> None:
    assert {act(root, verb, name).status for name in ("x", "w@", "%00", "w" * 300)} == {404}
    Worker.objects.update(seen_at=Now() - timedelta(minutes=1), stopping=True)
    assert act(root, verb).status == 404
    Worker.objects.update(seen_at=Now() - timedelta(days=2), stopping=False)
    assert act(root, verb).status == 404


@pytest.mark.parametrize(("method", "path"), WORKER_CALLS)
@pytest.mark.parametrize("granted", sorted(EVERY_SCOPE))
def test_no_tenants_token_may_act_on_a_worker(
    method: str, path: str, granted: str, acme: Tenant, caller_of: MakeCaller, worker: Worker
) -> None:
    for name in ("w@host", "unknown"):
        answer = caller_of(acme, [granted]).post(path.replace("{id}", name), None)
        assert answer.status == 403
    worker.refresh_from_db()
    assert (worker.wish, changes()) == (Wish.RUN, [])


@pytest.mark.parametrize(("method", "path"), WORKER_CALLS)
def test_without_a_token_it_is_401_and_a_field_is_422(method: str, path: str, root: Caller) -> None:
    there = path.replace("{id}", "w@host")
    assert Caller().post(there, None).status == 401
    assert root.post(there, {"force": True}).status == 422
