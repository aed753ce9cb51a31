"""Watching jobs over a WebSocket, against a real web process and worker."""

from __future__ import annotations

import json
import uuid

import pytest
from django.contrib.auth import get_user_model
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from accounts import tokens
from accounts.api.again import known_again, remembered, still_good
from accounts.api.authentication import principal_of_person
from accounts.models import Membership, Tenant
from accounts.roles import Role
from accounts.staff import staff
from jobs import lifecycle
from jobs.enqueue import JobOptions, enqueue
from jobs.states import Status
from tests.browser.site import Site
from tests.live.conftest import ORIGIN
from tests.live.watching import PATIENCE, Watch, all_heard, heard, heard_until, names

NOBODYS = "0199a1c0-0000-7000-8000-000000000001"
pytestmark = pytest.mark.timeout(400)  # the first one waits until all programs are up


def subscribe(job_id: object, after: str | None = None) -> str:
    message = {"subscribe": {"job_id": str(job_id)}}
    return json.dumps(message if after is None else {**message, "after": after})


def test_one_socket_watches_jobs_as_they_are_named(site: Site, watch: Watch) -> None:
    with site.arena.held():
        jobs = [site.arena.enqueue("testing.held", seconds=0) for _ in range(2)]
        socket = watch.socket("?only=named")
        for job in jobs:
            site.arena.wait_for_status(job.pk, Status.PROCESSING, seconds=PATIENCE)
            socket.send(subscribe(job.pk))
            heard_until(socket, "job.snapshot", id=str(job.pk))
    events = [*all_heard(socket, "stream.end"), *all_heard(socket, "stream.end")]
    for job in jobs:
        own = [one for one in events if str(job.pk) in one["data"].values()]
        assert names(own)[-2:] == ["job.completed", "stream.end"]
        assert own[-1]["data"] == {"job_id": str(job.pk)}


def test_a_subscription_goes_on_after_a_mark(site: Site, watch: Watch) -> None:
    later = JobOptions(delay_seconds=3600)
    job = enqueue(site.arena.tenant, "diagnostics.echo", {}, later).job
    socket = watch.socket("?only=named")
    socket.send(subscribe(job.pk))
    assert heard(socket)["event"] == "job.snapshot"
    lifecycle.boost(job.pk, by=5, highest=100)
    mark = heard_until(socket, "job.updated")["id"]
    lifecycle.promote_now(job.pk)
    heard_until(socket, "job.queued")

    again = watch.socket("?only=named")
    again.send(subscribe(job.pk, after=mark))
    assert heard(again)["event"] == "job.queued"

    lost = watch.socket("?only=named")
    lost.send(subscribe(job.pk, after="1-1"))
    assert (first := heard(lost))["event"] == "job.snapshot"
    assert first["gap"] is True


def test_without_a_filter_every_job_is_told_until_one_is_named(site: Site, watch: Watch) -> None:
    owner = f"o-{uuid.uuid4().hex}"
    later = JobOptions(delay_seconds=3600, owner=owner)
    enqueue(site.arena.tenant, "diagnostics.echo", {}, later)
    socket = watch.socket(f"?owner={owner}")
    assert heard(socket)["event"] == "job.snapshot"
    job = enqueue(site.arena.tenant, "diagnostics.echo", {}, later).job
    heard_until(socket, "job.scheduled", id=str(job.pk))
    socket.send(subscribe(job.pk))
    heard_until(socket, "job.snapshot", id=str(job.pk))
    enqueue(site.arena.tenant, "diagnostics.echo", {}, later)
    lifecycle.cancel(job.pk, by="test")
    assert heard(socket)["event"] == "job.cancelled"
    assert heard(socket)["event"] == "stream.end"


def test_what_is_unsubscribed_is_told_no_more(site: Site, watch: Watch) -> None:
    later = JobOptions(delay_seconds=3600)
    one, other = (enqueue(site.arena.tenant, "diagnostics.echo", {}, later).job for _ in range(2))
    socket = watch.socket("?only=named")
    for job in (one, other):
        socket.send(subscribe(job.pk))
        heard_until(socket, "job.snapshot", id=str(job.pk))
    socket.send(json.dumps({"unsubscribe": {"job_id": str(one.pk)}}))
    socket.send("{}")  # answered in turn: what was sent before it has been heeded
    heard_until(socket, "error")
    lifecycle.cancel(one.pk, by="test")
    lifecycle.cancel(other.pk, by="test")
    assert heard_until(socket, "job.cancelled")["data"]["id"] == str(other.pk)


@pytest.mark.parametrize(
    "message",
    ["", "garbage", "[]", "7", '{"subscribe": 7}', '{"subscribe": {"job_id": "7"}}',
     '{"subscribe": {}, "more": 1}', "[" * 100_000, "x" * 60_000, '{"after": "1-1"}'],
    ids=range(10),
)  # fmt: skip
def test_nonsense_is_answered_and_the_socket_goes_on(
    site: Site, watch: Watch, message: str
) -> None:
    socket = watch.socket("?only=named")
    socket.send(message)
    if len(message) > 65_536:
        with pytest.raises(ConnectionClosed):
            heard(socket)
        return
    event = heard(socket)
    assert (event["event"], event["data"]["status"]) == ("error", 422)
    socket.send(subscribe(uuid.uuid4()))
    assert heard(socket)["data"]["status"] == 404


def test_t8_a_foreign_job_is_not_told_from_a_missing_one(site: Site, watch: Watch) -> None:
    other = Tenant.objects.create(slug=f"other-{uuid.uuid4().hex[:8]}", plan_name="basic")
    foreign = enqueue(other, "diagnostics.echo", {}, JobOptions(delay_seconds=3600)).job
    socket = watch.socket("?only=named")
    answers = []
    for job_id in (foreign.pk, uuid.uuid4()):
        socket.send(subscribe(job_id))
        answer = heard(socket)
        answers.append({**answer["data"], "job_id": None})
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("?nonsense=1", {}, 422),
        (f"?job_id={NOBODYS}", {}, 404),
        ("", {"Authorization": "Bearer nonsense"}, 401),
        ("", {"Origin": "https://evil.example"}, 403),
    ],
)
def test_a_socket_is_refused_as_a_call_is(
    watch: Watch, query: str, headers: dict[str, str], status: int
) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        watch.socket(query, headers=headers)
    assert refusal.value.response.status_code == status
    assert json.loads(refusal.value.response.body or b"{}")["status"] == status


def test_a_page_that_is_allowed_may_open_one(watch: Watch) -> None:
    watch.socket("?only=named", headers={"Origin": ORIGIN}).close()


def test_t21_a_socket_closes_when_its_token_is_revoked(site: Site, watch: Watch) -> None:
    with Watch(site, scopes=("jobs:read",)) as other:
        socket = other.socket("?only=named")
        tokens.revoke(other.issued.token, by="test")
        with pytest.raises(ConnectionClosed) as closing:
            heard(socket)
    assert closing.value.rcvd is not None
    assert closing.value.rcvd.code == 1008


def test_a_ticket_binds_a_socket_to_what_it_was_asked_for(site: Site, watch: Watch) -> None:
    later = JobOptions(delay_seconds=3600, owner="mara")
    one, other = (enqueue(site.arena.tenant, "diagnostics.echo", {}, later).job for _ in range(2))

    def opened(wanted: dict[str, str]) -> ClientConnection:
        ticket = watch.ask("POST", "/events/ticket", json=wanted).json()["ticket"]
        query = "&".join(f"{name}={value}" for name, value in {**wanted, "ticket": ticket}.items())
        return watch.socket(f"?{query}", headers={"Authorization": ""})

    bound = opened({"job_id": str(one.pk), "owner": "mara"})
    heard_until(bound, "job.snapshot", id=str(one.pk))
    bound.send(subscribe(other.pk))
    assert heard_until(bound, "error")["data"]["status"] == 404
    bound.send(subscribe(one.pk))
    heard_until(bound, "job.snapshot", id=str(one.pk))

    noors = opened({"owner": "noor"})
    noors.send(subscribe(one.pk))
    assert heard_until(noors, "error")["data"]["status"] == 404

    free = opened({})
    free.send(subscribe(other.pk))
    heard_until(free, "job.snapshot", id=str(other.pk))


def test_a_person_who_lost_the_role_is_shown_nothing_more(site: Site) -> None:
    """Also one who is a member of other tenants still, or was a superuser."""
    tenants = [
        Tenant.objects.create(slug=f"t-{uuid.uuid4().hex[:8]}", plan_name="basic") for _ in range(3)
    ]
    person = get_user_model()._default_manager.create_user(
        f"eve-{uuid.uuid4().hex[:8]}", password="only for this test", is_staff=True
    )
    for tenant in tenants:
        Membership.objects.create(user=person, tenant=tenant, role=Role.VIEWER)
    first = tenants[0]

    principal = principal_of_person(staff(person), first.slug)
    assert principal is not None
    assert still_good([principal]) == {principal}
    told = remembered(principal)
    for gone in (first, tenants[1]):
        Membership.objects.filter(user=person, tenant=gone).delete()
        assert still_good([principal]) == set()
        assert known_again(told) is None

    person.is_superuser = True
    person.save()
    boss = principal_of_person(staff(person), None)
    assert boss is not None
    assert still_good([boss]) == {boss}
    person.is_superuser = False
    person.save()
    assert still_good([boss]) == set()
    assert known_again(remembered(boss)) is None
