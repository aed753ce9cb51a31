"""What a batch may ask for in all, told before any of its items is looked at."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Tenant
from jobs.api import batches_bodies
from jobs.models import Job
from tests.api.batching import JOB, NEW_BATCH
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller, MakeJob


def test_items_that_multiply_their_edges_are_refused(
    caller: Caller, acme: Tenant, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches_bodies, "MOST_EDGES", 1)
    edge = {"depends_on": [str(make_job(acme).pk)]}
    answers = [
        caller.post("/batches", NEW_BATCH | edge),
        caller.post("/batches", {"jobs": [JOB | edge, "no job", JOB | edge]}),
    ]
    places = [[one["pointer"] for one in answer.body["errors"]] for answer in answers]
    assert [answer.status for answer in answers] == [422, 422]
    assert places == [["/depends_on"], ["/jobs/2/depends_on"]]
    assert Job.objects.count() == 1


def test_many_jobs_that_replace_are_refused(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches_bodies, "MOST_REPLACING", 1)
    keyed = JOB | {"unique_key": "k"}
    calm = keyed | {"debounce_seconds": 5.0}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"on_duplicate": "replace"}, "on_duplicate"),
        (calm, "debounce_seconds"),
    ]
    for more, place in cases:
        answer = caller.post("/batches", {"jobs": [keyed | more, keyed | more]})
        assert answer.status == 422
        assert [one["pointer"] for one in answer.body["errors"]] == [f"/jobs/1/{place}"]


def test_a_token_of_an_owner_waits_for_its_own_jobs_alone(
    acme: Tenant, caller_of: MakeCaller, make_job: MakeJob
) -> None:
    caller = caller_of(acme, owner="alice")
    mine, foreign = make_job(acme, owner="alice"), make_job(acme, owner="bob")
    made = caller.post("/batches", NEW_BATCH | {"depends_on": [str(mine.pk)]})
    assert (made.status, made.body["queued"]) == (201, 2)
    refused = caller.post("/batches", NEW_BATCH | {"depends_on": [str(foreign.pk)]})
    assert (refused.status, refused.body["failed"]) == (201, 2)
