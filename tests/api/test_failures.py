"""GET /failures and /failures/{fingerprint}, and /retry and /discard of a whole group."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEntry, Tenant
from accounts.scopes import Scope
from jobs import bulk
from jobs.fingerprint import fingerprint
from jobs.models import Job
from jobs.states import Status
from tests.api import kinds
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller, MakeJob


def error_of(kind: str, message: str = "no", frames: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"type": kind, "message": message, "details": {}, "frames": list(frames)}


AWAY = error_of("OSError", "host 7 is away", ("shop.mail.send", "shop.net.connect"))
BROKEN = error_of("ValueError", "page 3 is broken", ("shop.pages.read",))


@pytest.fixture
def dead(make_job: MakeJob) -> Any:
    """A dead letter, as a worker leaves it."""

    def make(tenant: Tenant, error: dict[str, Any] = AWAY, **options: Any) -> Job:
        job = make_job(tenant, Status.FAILED, **options)
        kind = fingerprint(kinds.report.name, error)
        Job.objects.filter(pk=job.pk).update(error=error, fingerprint=kind)
        return job

    return make


def groups(caller: Caller, **query: Any) -> list[Any]:
    answer = caller.get("/failures", **query)
    assert answer.status == 200, answer.body
    items: list[Any] = answer.body["items"]
    return items


def test_dead_letters_that_failed_alike_are_one_group(
    caller: Caller, acme: Tenant, dead: Any
) -> None:
    first, _, newest = dead(acme), dead(acme), dead(acme)
    other = dead(acme, BROKEN)
    broken, away = groups(caller)
    assert (away["count"], away["count_exact"], broken["count"]) == (3, True, 1)
    assert (away["type"], away["exception"]) == (kinds.report.name, "OSError")
    assert away["sample"]["id"] == str(newest.pk)
    assert away["sample"]["message"] == "host 7 is away"
    assert away["first"] == caller.get(f"/jobs/{first.pk}").body["completed_at"]
    assert away["last"] == caller.get(f"/jobs/{newest.pk}").body["completed_at"]
    assert broken["sample"]["id"] == str(other.pk)


@pytest.mark.parametrize(("scope", "shown"), [(Scope.ADMIN, AWAY["frames"]), ("jobs:read", None)])
def test_frames_are_shown_to_admins_only_as_tracebacks_are(
    scope: str, shown: Any, acme: Tenant, dead: Any, caller_of: MakeCaller
) -> None:
    dead(acme)
    assert groups(caller_of(acme, [scope]))[0]["frames"] == shown


def test_what_is_no_dead_letter_is_in_no_group(
    caller: Caller, acme: Tenant, dead: Any, make_job: MakeJob
) -> None:
    discarded, again, kept = (dead(acme) for _ in range(3))
    make_job(acme, Status.CANCELLED)
    caller.post(f"/jobs/{discarded.pk}/discard")
    caller.post(f"/jobs/{again.pk}/retry")
    (group,) = groups(caller)
    assert (group["count"], group["sample"]["id"]) == (1, str(kept.pk))


def test_jobs_without_a_fingerprint_are_a_group_of_their_own(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, Status.FAILED)
    (group,) = groups(caller)
    assert (group["fingerprint"], group["count"]) == ("unsorted", 1)
    assert caller.post("/failures/unsorted/retry").body["changed"] == 1
    assert Job.objects.get(pk=job.pk).status == Status.QUEUED


def test_groups_are_chosen_by_type_and_queue(caller: Caller, acme: Tenant, dead: Any) -> None:
    dead(acme)
    (group,) = groups(caller, type=kinds.report.name, queue="default")
    assert group["count"] == 1
    assert groups(caller, type=kinds.reading.name) == []
    assert caller.get("/failures", type="no.such").pointers == ["/type"]
    assert caller.get("/failures", queue="no-such").pointers == ["/queue"]
    assert caller.get("/failures", status="failed").pointers == ["/status"]


def test_pages_hold_every_group_once(caller: Caller, acme: Tenant, dead: Any) -> None:
    made = [dead(acme, error_of(f"Error{chr(65 + n)}")) for n in range(5)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(5):
        page = caller.get("/failures", limit=2, **cursor).body
        seen += [one["sample"]["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == [str(job.pk) for job in reversed(made)]


def test_g10_a_group_holds_only_ones_own_jobs(
    acme: Tenant, other: Tenant, dead: Any, caller_of: MakeCaller
) -> None:
    dead(acme, owner="eve"), dead(acme), dead(other)
    whole, eve, bob = (caller_of(acme, owner=owner) for owner in ("", "eve", "bob"))
    assert [group["count"] for group in groups(whole)] == [2]
    assert [group["count"] for group in groups(eve)] == [1]
    assert groups(bob) == []
    name = groups(whole)[0]["fingerprint"]
    assert bob.get(f"/failures/{name}").status == 404
    assert eve.post(f"/failures/{name}/retry").body["changed"] == 1
    assert {job.owner for job in Job.objects.filter(status=Status.QUEUED)} == {"eve"}
    assert whole.post(f"/failures/{name}/discard").body["changed"] == 1
    assert Job.objects.filter(tenant=other, discarded_at=None).count() == 1


def test_all_tenants_groups_stand_apart_and_name_their_tenant(
    acme: Tenant, other: Tenant, dead: Any, platform: Any
) -> None:
    dead(acme), dead(other)
    shown = groups(platform("*"))
    assert [group["tenant"] for group in shown] == ["other", "acme"]
    assert shown[0]["fingerprint"] == shown[1]["fingerprint"]


@pytest.mark.parametrize("name", ["0" * 32, "7", "x" * 32, "%00"])
def test_a_kind_that_nothing_is_of_is_404(name: str, caller: Caller) -> None:
    assert caller.get(f"/failures/{name}").status == 404
    assert caller.post(f"/failures/{name}/retry").status == 404
    assert caller.post(f"/failures/{name}/discard").status == 404


@pytest.mark.parametrize("verb", ["retry", "discard"])
def test_a_dry_run_tells_how_many_and_changes_nothing(
    verb: str, caller: Caller, acme: Tenant, dead: Any
) -> None:
    made = {str(dead(acme).pk) for _ in range(3)}
    name = groups(caller)[0]["fingerprint"]
    body = caller.post(f"/failures/{name}/{verb}", {"dry_run": True}).body
    assert (body["matched"], body["changed"], body["more"]) == (3, 0, False)
    assert {one["job_id"] for one in body["results"]} == made
    assert groups(caller)[0]["count"] == 3
    assert not AuditEntry.objects.filter(object_type="failure").exists()


@pytest.mark.parametrize(("verb", "status"), [("retry", "queued"), ("discard", "failed")])
def test_a_whole_group_is_done_at_once_and_written_down_once(
    verb: str, status: str, caller: Caller, acme: Tenant, dead: Any
) -> None:
    made = {str(dead(acme).pk) for _ in range(3)}
    kept = dead(acme, BROKEN)
    name = fingerprint(kinds.report.name, AWAY)
    body = caller.post(f"/failures/{name}/{verb}").body
    assert (body["matched"], body["changed"], body["more"]) == (3, 3, False)
    assert {(one["status"], one["error"]) for one in body["results"]} == {(status, None)}
    assert [group["sample"]["id"] for group in groups(caller)] == [str(kept.pk)]
    entry = AuditEntry.objects.get(object_type="failure")
    assert (entry.action, entry.object_id, entry.tenant) == (f"failure.{verb}", name, acme)
    assert entry.after is not None
    assert (entry.after["matched"], entry.after["changed"]) == (3, 3)
    assert set(entry.after["job_ids"]) == made
    assert caller.post(f"/failures/{name}/{verb}").status == 404


def test_a_large_group_takes_several_calls(
    caller: Caller, acme: Tenant, dead: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST", 4)
    monkeypatch.setattr(bulk, "CHUNK", 3)
    for _ in range(6):
        dead(acme)
    name = groups(caller)[0]["fingerprint"]
    first, second = (caller.post(f"/failures/{name}/retry").body for _ in range(2))
    assert (first["matched"], first["changed"], first["more"]) == (4, 4, True)
    assert (second["matched"], second["changed"], second["more"]) == (2, 2, False)
    assert Job.objects.filter(status=Status.QUEUED).count() == 6


def test_of_dead_letters_with_one_unique_key_one_runs_again(
    caller: Caller, acme: Tenant, dead: Any
) -> None:
    made = [dead(acme, unique_key="nightly") for _ in range(3)]
    plain = dead(acme)
    name = groups(caller)[0]["fingerprint"]
    body = caller.post(f"/failures/{name}/retry").body
    errors = {one["job_id"]: one["error"] for one in body["results"]}
    assert (body["matched"], body["changed"]) == (4, 2)
    assert errors[str(plain.pk)] is None
    assert sorted(str(errors[str(job.pk)]) for job in made) == [
        "None", "unique_key_taken", "unique_key_taken",
    ]  # fmt: skip


def test_a_group_cannot_be_acted_on_with_a_token_that_only_reads(
    acme: Tenant, dead: Any, caller_of: MakeCaller
) -> None:
    dead(acme)
    reader = caller_of(acme, [Scope.JOBS_READ])
    name = groups(reader)[0]["fingerprint"]
    assert reader.post(f"/failures/{name}/retry").status == 403
    assert reader.post(f"/failures/{name}/discard").status == 403
