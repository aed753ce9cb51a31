"""Watching jobs over server-sent events, against a real web process and worker."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import requests
from django.conf import settings
from django.contrib.auth import get_user_model

from accounts import tokens
from accounts.models import Membership, Tenant
from accounts.roles import Role
from jobs import lifecycle, wire
from jobs.enqueue import JobOptions, enqueue
from jobs.models import Job, Queue
from jobs.states import Status
from tests.browser.site import Site
from tests.live.conftest import ORIGIN
from tests.live.watching import PATIENCE, Stream, Watch, names

NOBODYS = "0199a1c0-0000-7000-8000-000000000001"
pytestmark = pytest.mark.timeout(400)  # the first one waits until all programs are up


def steps(site: Site, **options: Any) -> Job:
    payload = {"seconds": 1.5, "steps": 3}
    tenant = site.arena.tenant
    return enqueue(tenant, "diagnostics.sleep", payload, JobOptions(**options)).job


def test_a_job_is_told_from_its_snapshot_to_its_end(site: Site, watch: Watch) -> None:
    with site.arena.held():
        job = site.arena.enqueue("testing.held", seconds=0)
        site.arena.wait_for_status(job.pk, Status.PROCESSING, seconds=PATIENCE)
        stream = watch.stream(job_id=str(job.pk))
        first = stream.next()
    events = [first, *stream.rest()]

    assert [name for name in names(events) if name != "job.started"] == [
        "job.snapshot",
        "job.completed",
        "stream.end",
    ]
    assert first["data"]["status"] == "processing"
    assert events[-2]["data"]["status"] == "completed"
    assert {"payload", "result"}.isdisjoint(first["data"])
    assert first["timestamp"].endswith("Z")


def test_each_step_of_a_job_is_told_in_order(site: Site, watch: Watch) -> None:
    job = steps(site, delay_seconds=3600)
    stream = watch.stream(only="named", job_id=str(job.pk))
    first = stream.next()
    lifecycle.promote_now(job.pk)
    told = names([first, *stream.rest()])
    events = [name for name in told if name not in ("job.position", "job.scheduled")]

    assert events[:1] == ["job.snapshot"]
    assert events[-2:] == ["job.completed", "stream.end"]
    assert [name for name in events if name != "job.progress"] == [
        "job.snapshot",
        "job.queued",
        "job.started",
        "job.completed",
        "stream.end",
    ]
    assert "job.progress" in events
    assert Job.objects.get(pk=job.pk).status == Status.COMPLETED


def test_a_job_that_is_over_has_a_snapshot_and_an_end(site: Site, watch: Watch) -> None:
    job = site.arena.enqueue("testing.held", seconds=0)
    site.arena.wait_for_status(job.pk, Status.COMPLETED, seconds=PATIENCE)
    assert names(watch.stream(job_id=str(job.pk)).rest()) == ["job.snapshot", "stream.end"]


def test_after_a_reconnect_what_was_missed_is_told_and_nothing_twice(
    site: Site, watch: Watch
) -> None:
    job = steps(site)
    whole = watch.stream(job_id=str(job.pk)).rest()
    marks = [event for event in whole if event["event"] not in ("job.position", "stream.end")]
    for number, event in enumerate(marks[:-1]):
        again = watch.stream(job_id=str(job.pk), headers={"Last-Event-ID": event["id"]}).rest()
        later = [one for one in marks[number + 1 :] if one["id"] != event["id"]]
        assert [one["id"] for one in again if one["event"] != "stream.end"] == [
            one["id"] for one in later
        ]
        assert again[-1]["event"] == "stream.end"
        assert not any("gap" in one for one in again)


def test_a_mark_that_nobody_knows_is_a_gap(site: Site, watch: Watch) -> None:
    job = site.arena.enqueue("testing.held", seconds=0)
    site.arena.wait_for_status(job.pk, Status.COMPLETED, seconds=PATIENCE)
    for mark in ("5-0", "nonsense", "0-0", "1" * 40):
        events = watch.stream(job_id=str(job.pk), headers={"Last-Event-ID": mark}).rest()
        assert names(events) == ["job.snapshot", "stream.end"]
        assert events[0]["gap"] is True


def test_many_jobs_of_one_entry_have_marks_of_their_own(site: Site, watch: Watch) -> None:
    owner = f"mara-{uuid.uuid4().hex}"
    enqueue(site.arena.tenant, "diagnostics.echo", {}, JobOptions(owner=owner, delay_seconds=3600))
    wire.flush()  # its birth is told before the stream begins
    stream = watch.stream(owner=owner)
    assert stream.next()["event"] == "job.snapshot"
    # Handed in at once, they share an entry; all are far in the future.
    body = {
        "type": "diagnostics.echo",
        "items": [{}] * 5,
        "owner": owner,
        "delay_seconds": 3600,
    }
    assert watch.ask("POST", "/batches", json=body).status_code == 201
    events = [stream.next() for _ in range(5)]
    assert names(events) == ["job.scheduled"] * 5
    assert len({event["id"] for event in events}) == 5

    again = watch.stream(owner=owner, headers={"Last-Event-ID": events[2]["id"]})
    assert [again.next()["id"] for _ in range(2)] == [event["id"] for event in events[3:]]


def test_a_batch_tells_its_jobs_and_its_end(site: Site, watch: Watch) -> None:
    body = {"type": "diagnostics.echo", "items": [{}, {}], "delay_seconds": 3600}
    made = watch.ask("POST", "/batches", json=body).json()
    stream = watch.stream(batch_id=made["batch_id"])
    assert names([stream.next(), stream.next()]) == ["job.snapshot"] * 2
    for one in made["results"]:
        lifecycle.promote_now(uuid.UUID(one["job_id"]))
    events = stream.until("batch.completed")
    assert events[-1]["data"]["id"] == made["batch_id"]
    assert events[-1]["data"]["status"] == "completed"
    assert names(events).count("job.completed") == 2


def test_a_place_in_the_queue_is_told_when_it_changes(site: Site, watch: Watch) -> None:
    tenant = site.arena.tenant
    Queue.objects.get_or_create(name="nobody")
    with site.arena.held():
        running = [site.arena.enqueue("testing.held", seconds=0) for _ in range(2)]
        for job in running:
            site.arena.wait_for_status(job.pk, Status.PROCESSING, seconds=PATIENCE)
        ahead = enqueue(tenant, "diagnostics.echo", {}, JobOptions(queue="nobody", priority=60)).job
        job = enqueue(tenant, "diagnostics.echo", {}, JobOptions(queue="nobody")).job
        stream = watch.stream(job_id=str(job.pk))
        assert stream.next()["data"]["position"] == 2
        lifecycle.cancel(ahead.pk, by="test")
        while (event := stream.next())["event"] != "job.position":
            assert event["event"] == "job.queued"
    assert event["data"]["position"] == 1
    assert event["data"]["position_exact"] is True
    lifecycle.cancel(job.pk, by="test")
    assert names(stream.rest())[-2:] == ["job.cancelled", "stream.end"]


def test_a_stream_tells_of_the_callers_tenant_and_owner_only(site: Site, watch: Watch) -> None:
    other = Tenant.objects.create(slug=f"other-{uuid.uuid4().hex[:8]}", plan_name="basic")
    foreign = enqueue(other, "diagnostics.echo", {}).job
    assert watch.ask("GET", f"/events?job_id={foreign.pk}").status_code == 404
    owner = f"mara-{uuid.uuid4().hex}"
    with Watch(site, scopes=("jobs:read",), owner=owner) as bound:
        stream = bound.stream()
        enqueue(site.arena.tenant, "diagnostics.echo", {}, JobOptions(owner="noor"))
        enqueue(other, "diagnostics.echo", {}, JobOptions(owner=owner))
        mine = enqueue(site.arena.tenant, "diagnostics.echo", {}, JobOptions(owner=owner)).job
        told = [stream.next()["data"]]
        while told[-1]["status"] != Status.COMPLETED:
            told.append(stream.next()["data"])
        assert {one["id"] for one in told} == {str(mine.pk)}


def test_t21_a_stream_ends_when_its_token_is_revoked(site: Site, watch: Watch) -> None:
    with Watch(site, scopes=("jobs:read",)) as other:
        stream = other.stream(only="named")
        tokens.revoke(other.issued.token, by="test")
        assert stream.rest() == []
        assert other.ask("GET", "/events").status_code == 401
    assert watch.stream(only="named").answer.status_code == 200


def test_a_ticket_is_good_once_and_for_what_it_was_asked_for(site: Site, watch: Watch) -> None:
    job = site.arena.enqueue("testing.held", seconds=0)
    site.arena.wait_for_status(job.pk, Status.COMPLETED, seconds=PATIENCE)
    url = f"{site.url}/api/v1/events"

    def ticket() -> str:
        answer = watch.ask("POST", "/events/ticket", json={"job_id": str(job.pk)})
        assert answer.status_code == 201
        return str(answer.json()["ticket"])

    good = ticket()
    events = watch.stream(anonymous=True, ticket=good, job_id=str(job.pk)).rest()
    assert names(events) == ["job.snapshot", "stream.end"]
    for query in (
        {"ticket": good, "job_id": str(job.pk)},
        {"ticket": ticket()},
        {"ticket": ticket(), "job_id": str(job.pk), "owner": "mara"},
        {"ticket": "x" * 43, "job_id": str(job.pk)},
    ):
        assert requests.get(url, params=query, timeout=PATIENCE).status_code == 401


def test_a_ticket_is_good_however_the_ids_are_written(site: Site, watch: Watch) -> None:
    body = {"type": "diagnostics.echo", "items": [{}], "delay_seconds": 3600}
    made = watch.ask("POST", "/batches", json=body).json()
    asked = {"batch_id": made["batch_id"], "job_id": made["results"][0]["job_id"]}
    for wanted, query in (
        (asked, {name: value.upper() for name, value in asked.items()}),
        ({name: value.upper() for name, value in asked.items()}, asked),
    ):
        ticket = watch.ask("POST", "/events/ticket", json=wanted).json()["ticket"]
        stream = watch.stream(anonymous=True, ticket=ticket, **query)
        assert stream.next()["event"] == "job.snapshot"


def test_a_ticket_for_what_cannot_be_is_refused(watch: Watch) -> None:
    for body, status in (
        ({"owner": "\x00"}, 400),
        ({"owner": ["mara", "noor"]}, 422),
        ({"batch_id": [NOBODYS, NOBODYS]}, 422),
        ({"batch_id": NOBODYS}, 404),
        ({"job_id": "\x00" * 36}, 400),
    ):
        assert watch.ask("POST", "/events/ticket", json=body).status_code == status


def test_a_signed_in_person_gets_a_ticket_with_the_csrf_token_only(site: Site) -> None:
    name = f"eve-{uuid.uuid4().hex[:8]}"
    person = get_user_model()._default_manager.create_user(name, is_staff=True)
    tenant = Tenant.objects.get(slug="default")
    Membership.objects.create(user=person, tenant=tenant, role=Role.VIEWER)
    job = enqueue(tenant, "diagnostics.echo", {}, JobOptions(delay_seconds=3600)).job
    url, wanted = f"{site.url}/api/v1/events", {"job_id": str(job.pk)}
    secret = "c" * 32
    cookies = {
        settings.SESSION_COOKIE_NAME: site.session_of(person),
        settings.CSRF_COOKIE_NAME: secret,
    }

    def asked(**headers: str) -> requests.Response:
        return requests.post(
            f"{url}/ticket", json=wanted, cookies=cookies, headers=headers, timeout=PATIENCE
        )

    assert asked().status_code == 403
    assert asked(**{"X-CSRFToken": "d" * 32}).status_code == 403
    answer = asked(**{"X-CSRFToken": secret})
    assert answer.status_code == 201
    query = {**wanted, "ticket": answer.json()["ticket"]}
    with requests.get(url, params=query, stream=True, timeout=PATIENCE) as stream:
        assert Stream(stream).next()["data"]["id"] == str(job.pk)


def test_a_ticket_of_a_token_that_was_revoked_meanwhile_opens_nothing(site: Site) -> None:
    with Watch(site, scopes=("jobs:read",)) as other:
        ticket = other.ask("POST", "/events/ticket", json={}).json()["ticket"]
        tokens.revoke(other.issued.token, by="test")
    answer = requests.get(f"{site.url}/api/v1/events?ticket={ticket}", timeout=PATIENCE)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/events?job_id=7", 404),
        (f"/events?job_id={NOBODYS}", 404),
        (f"/events?batch_id={NOBODYS}", 404),
        ("/events?nonsense=1", 422),
        ("/events?only=this", 422),
        ("/events?owner=%00", 422),
        ("/events?owner=mara&owner=noor", 422),
        (f"/events?batch_id={NOBODYS}&batch_id={NOBODYS}", 422),
        ("/events?job_id=%00", 422),
        ("/events?after=1-1%00", 422),
    ],
)
def test_a_stream_that_cannot_be_is_refused_like_any_call(
    watch: Watch, path: str, status: int
) -> None:
    answer = watch.ask("GET", path)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_page_of_another_site_watches_only_if_it_is_allowed(watch: Watch) -> None:
    own = watch.site.url
    foreign = ("https://evil.example", "null", "http://[", own.replace("http", "https"), f"{own}/")
    for origin, status in ((ORIGIN, 200), (own, 200), *((one, 403) for one in foreign)):
        answer = watch.ask("GET", "/events?only=named", headers={"Origin": origin}, stream=True)
        assert answer.status_code == status
        allowed = answer.headers.get("Access-Control-Allow-Origin")
        assert allowed == (origin if origin == ORIGIN else None)
        answer.close()


def test_cors_lets_an_allowed_page_create_and_read_what_it_needs(watch: Watch) -> None:
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
    }
    answer = watch.ask("OPTIONS", "/jobs", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "idempotency-key" in answer.headers["Access-Control-Allow-Headers"]

    other = watch.ask("OPTIONS", "/jobs", headers={**asked, "Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in other.headers


def test_without_the_scope_nothing_is_watched(site: Site) -> None:
    with Watch(site, scopes=("queues:read",)) as other:
        assert other.ask("GET", "/events").status_code == 403
        assert other.ask("POST", "/events/ticket", json={}).status_code == 403


def test_a_traceback_is_told_to_admins_only(site: Site, watch: Watch) -> None:
    tenant = site.arena.tenant
    job = enqueue(tenant, "diagnostics.fail", {"times": 9}, JobOptions(max_retries=0)).job
    site.arena.wait_for_status(job.pk, Status.FAILED, seconds=PATIENCE)
    with Watch(site, scopes=("jobs:read",)) as other:
        (plain, _) = other.stream(job_id=str(job.pk)).rest()
        assert "traceback" not in plain["data"]["error"]
        assert "traceback" in watch.stream(job_id=str(job.pk)).next()["data"]["error"]


def test_who_asks_for_all_tenants_is_told_to_name_one(site: Site, watch: Watch) -> None:
    issued = tokens.issue(name=f"platform-{uuid.uuid4()}", tenant=None, scopes=["admin"])
    headers = {"Authorization": f"Bearer {issued.text}", "X-Tenant": "*"}
    answer = requests.get(f"{site.url}/api/v1/events", headers=headers, timeout=PATIENCE)
    assert answer.status_code == 422
