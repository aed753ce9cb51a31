"""Another payload for a job that is there: secrets stay, steps stay steps, keys stay one job's."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Tenant
from jobs import bulk, bulk_verbs, lifecycle, registry
from jobs.enqueue import JobOptions, enqueue
from jobs.exceptions import TransitionRefused, UniqueKeyTaken
from jobs.models import Job
from jobs.secret import unmasked
from jobs.states import Status
from jobs.workflows import After, HandedIn, Step, hand_in
from tests.api import kinds
from tests.api.calling import Answer, Caller
from tests.api.conftest import MakeJob
from tests.jobs import making
from tests.jobs.kinds import ECHO
from tests.workflows.making import EVE, fail, succeed

SECRET = {"report_id": 7, "access_token": "hidden"}


def given_anew(verb: str, caller: Caller, job: Job, payload: dict[str, Any]) -> Answer:
    if verb == "edit":
        return caller.patch(f"/jobs/{job.pk}", {"payload": payload})
    return caller.post(f"/jobs/{job.pk}/retry", {"payload": payload})


def failed(tenant: Tenant, type_name: str, payload: dict[str, Any], **options: Any) -> Job:
    job = enqueue(tenant, type_name, payload, JobOptions(**options)).job
    lifecycle.fail(making.start(job), error=making.ERROR)
    return making.fresh(job)


def token_of(job: Job) -> str:
    arguments = registry.get(job.type).arguments(making.fresh(job).payload)
    return str(arguments["access_token"].reveal())


@pytest.mark.parametrize("verb", ["edit", "retry"])
def test_a_secret_given_back_as_it_is_shown_stays(verb: str, caller: Caller, acme: Tenant) -> None:
    job = failed(acme, kinds.report.name, SECRET)
    shown = caller.get(f"/jobs/{job.pk}").body["payload"]
    assert given_anew(verb, caller, job, {**shown, "report_id": 8}).status == 200
    assert making.fresh(job).payload["report_id"] == 8
    assert token_of(job) == "hidden"


def test_a_secret_can_be_given_anew(caller: Caller, acme: Tenant) -> None:
    job = failed(acme, kinds.report.name, SECRET)
    given_anew("edit", caller, job, {**SECRET, "access_token": "other"})
    assert token_of(job) == "other"


def test_a_mask_where_no_secret_is_is_refused(caller: Caller, acme: Tenant) -> None:
    masked = {"report_id": 7, "access_token": "***"}
    job = failed(acme, kinds.report.name, {"report_id": 7})
    new = caller.post("/jobs", {"type": kinds.report.name, "payload": masked})
    for answer in (new, given_anew("edit", caller, job, masked)):
        assert answer.status == 422
        assert [one["pointer"] for one in answer.body["errors"]] == ["/payload/access_token"]


def test_of_a_list_only_items_that_stayed_where_they_were_keep_their_secrets(
    acme: Tenant,
) -> None:
    sealed = enqueue(acme, kinds.report.name, SECRET).job.payload["access_token"]
    stored = [{"name": "a", "key": sealed}, {"name": "b", "key": sealed}]
    kept, moved = unmasked([{"name": "a", "key": "***"}, {"name": "c", "key": "***"}], stored)
    assert kept["key"].reveal() == "hidden"
    assert moved["key"] == "***"


# --- steps ------------------------------------------------------------------------------------


def workflow(tenant: Tenant) -> HandedIn:
    last = Step(type_name=ECHO, payload={"x": {"$result": "first"}}, after=["first"])
    steps = {"first": Step(type_name=ECHO), "aside": Step(type_name=ECHO), "last": last}
    return hand_in(tenant, "", steps)


@pytest.mark.parametrize("verb", ["edit", "retry"])
def test_a_step_takes_the_payload_that_it_is_shown_with(
    verb: str, caller: Caller, acme: Tenant
) -> None:
    made = workflow(acme)
    succeed(made, "first", "aside")
    fail(made, "last")
    job = made.jobs["last"]
    shown = caller.get(f"/jobs/{job.pk}").body["payload"]
    assert shown == {"x": {"$result": "first"}}
    assert given_anew(verb, caller, job, {**shown, "y": 1}).status == 200
    assert making.fresh(job).payload == {"x": {"$result": "first"}, "y": 1}


def test_a_step_cannot_take_the_result_of_one_it_does_not_wait_for(
    caller: Caller, acme: Tenant
) -> None:
    job = workflow(acme).jobs["last"]
    answer = given_anew("edit", caller, job, {"x": {"$result": "aside"}})
    assert answer.status == 422
    assert [one["pointer"] for one in answer.body["errors"]] == ["/payload/x"]


def test_a_step_whose_predecessor_failed_is_not_run_again_by_itself(
    caller: Caller, acme: Tenant
) -> None:
    made = workflow(acme)
    fail(made, "first")
    job = made.jobs["last"]
    assert making.fresh(job).status == Status.CANCELLED
    answer = caller.post(f"/jobs/{job.pk}/retry")
    assert (answer.status, answer.body["type"]) == (409, "urn:celeriac:problem:transition-refused")
    call = bulk.Call(rows=Job.objects.all(), tenant=acme, by=EVE)
    done = bulk.by_ids(bulk_verbs.retry(), [job.pk, made.jobs["first"].pk], call)
    assert [one.error for one in done.results] == [bulk.CONFLICT, None]


def test_a_step_that_runs_whatever_became_of_another_is_run_again(acme: Tenant) -> None:
    anyway = Step(type_name=ECHO, after=[After(step="a", on_failure="run")])  # type: ignore[arg-type]  # its value
    made = hand_in(acme, "", {"a": Step(type_name=ECHO), "b": anyway})
    fail(made, "a", "b")
    assert lifecycle.revive(made.jobs["b"].pk).status == Status.QUEUED


# --- keys -------------------------------------------------------------------------------------


def test_a_job_whose_key_a_completed_one_holds_for_its_time_is_not_run_again(
    acme: Tenant,
) -> None:
    job = failed(acme, ECHO, {}, unique_key="k")
    other = enqueue(acme, ECHO, {}, JobOptions(unique_key="k", unique_for_seconds=60)).job
    making.complete(other)
    with pytest.raises(UniqueKeyTaken):
        lifecycle.revive(job.pk)
    assert lifecycle.revive_all([job.pk]) == []
    making.let_pass(other, "unique_until")
    assert lifecycle.revive(job.pk).status == Status.QUEUED


def test_an_edit_gives_no_key_that_a_completed_job_holds(caller: Caller, acme: Tenant) -> None:
    for_a_time = JobOptions(unique_for_seconds=60)
    making.complete(enqueue(acme, kinds.crawl.name, {"subreddit": "a"}, for_a_time).job)
    job = enqueue(acme, kinds.crawl.name, {"subreddit": "b"}).job
    answer = given_anew("edit", caller, job, {"subreddit": "a"})
    assert (answer.status, answer.body["type"]) == (409, "urn:celeriac:problem:unique-key-taken")
    assert issubclass(UniqueKeyTaken, TransitionRefused)


def test_a_job_that_ended_otherwise_is_refused_for_its_status(
    acme: Tenant, make_job: MakeJob
) -> None:
    with pytest.raises(TransitionRefused) as refused:
        lifecycle.revive(make_job(acme, unique_key="k").pk)
    assert not isinstance(refused.value, UniqueKeyTaken)
