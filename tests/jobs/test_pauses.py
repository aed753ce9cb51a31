"""Pauses and the limits of queues: what holds, what is taken back, and what is written down."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import AuditEntry, Tenant
from jobs import JobContext, job_type
from jobs.effective import place_of
from jobs.enqueue import enqueue
from jobs.exceptions import InvalidPolicy, QueueExists
from jobs.models import Job, Leadership, Pause, PauseKind, Queue
from jobs.models.leadership import DISPATCH
from jobs.operations import Actor
from jobs.policies import limiting, pausing, snapshot
from jobs.policies.buckets import Bucket, of_key, of_queue, of_tenant, of_type
from jobs.policies.rate import Rate
from jobs.policies.rules import Held
from jobs.states import Status
from tests.jobs import making
from tests.jobs.kinds import ECHO, QUEUE
from tests.jobs.racing import PATIENCE_SECONDS, meanwhile
from tests.support.waiting import wait_for

pytestmark = pytest.mark.django_db

EVE, BOB = Actor(name="user:eve", address="192.0.2.7"), Actor(name="user:bob")
KEYED = "tests.keyed"


@pytest.fixture
def keyed(declaring: None) -> None:
    @job_type(KEYED, queue=QUEUE, limit_key="site:{site}")
    def keyed(context: JobContext, *, site: str) -> None: ...


def job_of(tenant: Tenant, site: str = "") -> Job:
    if not site:
        return making.queued(tenant)
    return Job.objects.get(pk=enqueue(tenant, KEYED, {"site": site}).job.pk)


def version() -> int:
    row = Leadership.objects.filter(pk=DISPATCH).values_list("policy_version", flat=True).first()
    return row or 0


def entries(*actions: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action__in=actions).order_by("pk"))


def held(bucket: Bucket) -> bool:
    return snapshot.read().is_held(bucket, timezone.now())


# Kind, the target, whose it is, the bucket that is held.
TARGETS: dict[str, tuple[str, Callable[[Tenant], Bucket]]] = {
    "queue": (QUEUE, lambda tenant: of_queue(QUEUE)),
    "type": (ECHO, lambda tenant: of_type(ECHO)),
    "tenant": ("acme", lambda tenant: of_tenant(tenant.pk)),
    "key": ("site:a", lambda tenant: of_key(tenant.pk, "site:a")),
}


@pytest.mark.parametrize("kind", TARGETS)
def test_a_pause_holds_until_it_is_resumed(kind: str, tenant: Tenant) -> None:
    target, bucket = TARGETS[kind]
    pause, is_new = pausing.pause(PauseKind(kind), target, EVE, tenant=tenant, reason="maintenance")
    assert is_new
    (hold,) = snapshot.read().holds_of(bucket(tenant), timezone.now())
    assert (hold.why, hold.reason, hold.by) == (Held.PAUSED, "maintenance", "user:eve")
    assert (hold.until, hold.pause_id) == (None, str(pause.pk))

    (ended,) = pausing.resume(PauseKind(kind), target, BOB, tenant=tenant)
    assert (ended.pk, ended.ended_by) == (pause.pk, "user:bob")
    assert ended.ended_at is not None
    assert not held(bucket(tenant))
    assert bucket(tenant) in snapshot.read().resumed


def test_a_short_pause_takes_from_the_ageing_only_its_own_time(tenant: Tenant) -> None:
    place, now = place_of(making.queued(tenant)), timezone.now()

    def over(kind: str, target: str, begin: int, end: int) -> None:
        pause = Pause.objects.create(
            kind=kind, target=target, created_by="eve", ended_at=now - timedelta(minutes=end)
        )
        Pause.objects.filter(pk=pause.pk).update(created_at=now - timedelta(minutes=begin))

    def waited(minutes: int) -> timedelta:
        since = snapshot.read().ready_since(place, now - timedelta(minutes=minutes))
        return now - since

    over("queue", QUEUE, 30, 20)
    over("type", ECHO, 25, 15)  # together fifteen minutes
    over("queue", QUEUE, 6, 5)
    over("queue", "mail", 60, 1)  # of others

    assert waited(90) == timedelta(minutes=74)
    assert waited(18) == timedelta(minutes=14)  # it came during the second one
    assert waited(3) == timedelta(minutes=3)


def test_a_pause_with_an_end_is_over_then_by_itself(tenant: Tenant) -> None:
    pause, _ = pausing.pause(PauseKind.QUEUE, QUEUE, EVE, until=timezone.now() + timedelta(hours=1))
    assert held(of_queue(QUEUE))
    Pause.objects.filter(pk=pause.pk).update(until=Now() - timedelta(seconds=1))
    assert not held(of_queue(QUEUE))
    assert pausing.resume(PauseKind.QUEUE, QUEUE, BOB) == []


def test_what_is_paused_again_after_its_end_is_another_pause(tenant: Tenant) -> None:
    first, _ = pausing.pause(PauseKind.QUEUE, QUEUE, EVE, until=timezone.now() + timedelta(hours=1))
    Pause.objects.filter(pk=first.pk).update(until=Now() - timedelta(seconds=1))
    second, is_new = pausing.pause(PauseKind.QUEUE, QUEUE, BOB)
    first.refresh_from_db()
    assert is_new
    assert second.pk != first.pk
    assert first.ended_at == first.until


def test_pausing_again_changes_the_pause_in_force(tenant: Tenant) -> None:
    first, _ = pausing.pause(PauseKind.QUEUE, QUEUE, EVE, reason="one")
    until = timezone.now() + timedelta(hours=1)
    second, is_new = pausing.pause(PauseKind.QUEUE, QUEUE, BOB, reason="two", until=until)
    assert (second.pk, is_new) == (first.pk, False)
    first.refresh_from_db()
    assert (first.reason, first.until, first.created_by) == ("two", until, "user:eve")
    pausing.pause(PauseKind.QUEUE, QUEUE, BOB, reason="two", until=until)
    assert [entry.actor for entry in entries("pause.start", "pause.change")] == [
        "user:eve",
        "user:bob",
    ]


def test_g11_each_step_leaves_an_audit_entry(tenant: Tenant) -> None:
    pause, _ = pausing.pause(PauseKind.TENANT, "acme", EVE, reason="bill")
    pausing.end(pause, BOB)
    start, end = entries("pause.start", "pause.end")
    told = {"kind": "tenant", "target": "acme", "reason": "bill", "until": None}
    assert (start.actor, start.address, start.tenant) == ("user:eve", "192.0.2.7", tenant)
    assert (start.object_type, start.object_id) == ("pause", str(pause.pk))
    assert (start.before, start.after) == (None, told)
    assert (end.actor, end.before, end.after) == ("user:bob", told, None)


def test_an_end_once_reached_is_not_reached_again(tenant: Tenant) -> None:
    pause, _ = pausing.pause(PauseKind.QUEUE, QUEUE, EVE)
    assert pausing.end(pause, EVE)
    assert not pausing.end(pause, BOB)
    pause.refresh_from_db()
    assert pause.ended_by == "user:eve"
    assert len(entries("pause.end")) == 1


@pytest.mark.parametrize(
    ("kind", "target"),
    [("queue", "nowhere"), ("type", "no.such"), ("tenant", "nobody"), ("key", ""),
     ("key", "x" * 256), ("queue", "\x00"), ("tenant", "\x00"), ("key", "\x00")],
)  # fmt: skip
def test_what_does_not_exist_is_not_paused(kind: str, target: str, tenant: Tenant) -> None:
    before = version()
    with pytest.raises(InvalidPolicy) as refused:
        pausing.pause(PauseKind(kind), target, EVE, tenant=tenant)
    assert [error.pointer for error in refused.value.errors] == ["/target"]
    assert (Pause.objects.count(), version()) == (0, before)


def test_an_end_in_the_past_and_an_endless_reason_are_refused(tenant: Tenant) -> None:
    with pytest.raises(InvalidPolicy) as refused:
        pausing.pause(PauseKind.QUEUE, QUEUE, EVE, reason="x" * 501, until=timezone.now())
    assert [error.pointer for error in refused.value.errors] == ["/reason", "/until"]


@pytest.mark.parametrize("kind", TARGETS)
def test_what_was_sent_of_it_is_taken_back_and_what_runs_goes_on(
    kind: str, tenant: Tenant, other: Tenant, keyed: None
) -> None:
    target, _ = TARGETS[kind]
    site = "a" if kind == "key" else ""
    sent, running, waiting = (job_of(tenant, site) for _ in range(3))
    message, attempt = making.send(sent), making.start(running)
    unconcerned = making.send(_beside(kind, other, tenant))

    pausing.pause(PauseKind(kind), target, EVE, tenant=tenant)

    assert making.fresh(sent).dispatched_at is None
    assert making.take(message) is None
    assert making.fresh(running).status == Status.PROCESSING
    assert making.held(running) == attempt
    assert making.fresh(waiting).fence == waiting.fence
    assert making.take(unconcerned) is not None


def _beside(kind: str, other: Tenant, tenant: Tenant) -> Job:
    """A job that this pause does not concern."""
    match kind:
        case "queue":
            return making.queued(tenant, queue="mail")
        case "type":
            return job_of(tenant, "a")
        case "key":
            return job_of(other, "a")
    return making.queued(other)


def lock_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        row = cursor.fetchone()
    return bool(row and row[0])


@pytest.mark.django_db(transaction=True)
def test_a_claim_that_is_under_way_wins_over_a_pause(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The bound on the wait is two seconds, which a busy machine may need for this.
    monkeypatch.setattr("jobs.policies.in_flight.bound_waits", lambda: None)
    job, waiting = making.queued(tenant), making.queued(tenant)
    message, other_message = making.send(job), making.send(waiting)

    def pause() -> None:
        try:
            pausing.pause(PauseKind.QUEUE, QUEUE, EVE)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with meanwhile(lambda: making.take(message)):
            paused = pool.submit(pause)
            wait_for(lock_waits, seconds=PATIENCE_SECONDS, what="the pause waits for the claim")
        paused.result(timeout=PATIENCE_SECONDS)

    assert making.fresh(job).status == Status.PROCESSING
    assert making.held(job) == message
    assert making.take(other_message) is None
    assert held(of_queue(QUEUE))


def test_a_key_is_one_tenants(tenant: Tenant, other: Tenant) -> None:
    pausing.pause(PauseKind.KEY, "site:a", EVE, tenant=tenant)
    _, is_new = pausing.pause(PauseKind.KEY, "site:a", EVE, tenant=other)
    assert is_new
    pausing.resume(PauseKind.KEY, "site:a", EVE, tenant=tenant)
    assert not held(of_key(tenant.pk, "site:a"))
    assert held(of_key(other.pk, "site:a"))


def test_every_change_is_one_that_the_dispatcher_notices(tenant: Tenant) -> None:
    versions = [version()]
    for change in (
        lambda: pausing.pause(PauseKind.QUEUE, QUEUE, EVE),
        lambda: pausing.resume(PauseKind.QUEUE, QUEUE, EVE),
        lambda: limiting.make("slow", {"max_concurrency": 1}, EVE),
        lambda: limiting.change("slow", {"max_concurrency": 2}, EVE),
    ):
        change()
        versions.append(version())
    assert versions == sorted(set(versions))


# --- limits of a queue -----------------------------------------------------------------------


def test_a_queue_is_made_with_its_limits(db: None) -> None:
    limiting.make("slow", {"max_concurrency": 1, "rate_limit": " 100/m ", "weight": 3}, EVE)
    read = snapshot.read()
    limit = read.limits[of_queue("slow")]
    assert (limit.concurrency, limit.rate) == (1, Rate(100, 60))
    assert read.queue_weights["slow"] == 3
    (entry,) = entries("queue.create")
    assert (entry.object_id, entry.tenant, entry.actor) == ("slow", None, "user:eve")
    assert entry.after == {"max_concurrency": 1, "rate_limit": "100/m", "weight": 3}


def test_a_queue_is_not_made_twice(queues: None) -> None:
    with pytest.raises(QueueExists):
        limiting.make(QUEUE, {}, EVE)


@pytest.mark.parametrize(
    ("limits", "pointer"),
    [({"max_concurrency": 0}, "/max_concurrency"), ({"max_concurrency": -1}, "/max_concurrency"),
     ({"weight": 0}, "/weight"), ({"weight": 101}, "/weight"),
     ({"rate_limit": "fast"}, "/rate_limit"), ({"rate_limit": "20000/m"}, "/rate_limit"),
     ({"rate_limit": "1/2d"}, "/rate_limit")],
)  # fmt: skip
def test_a_limit_that_makes_no_sense_is_refused(
    limits: dict[str, object], pointer: str, queues: None
) -> None:
    with pytest.raises(InvalidPolicy) as refused:
        limiting.change(QUEUE, limits, EVE)
    assert [error.pointer for error in refused.value.errors] == [pointer]
    assert entries("queue.change") == []


@pytest.mark.parametrize("name", ["", "Upper", "a b", "-a", "a/b", "a\n", "x" * 101])
def test_a_queue_with_a_name_that_cannot_be_one_is_refused(name: str, db: None) -> None:
    with pytest.raises(InvalidPolicy) as refused:
        limiting.make(name, {}, EVE)
    assert [error.pointer for error in refused.value.errors] == ["/name"]
    assert not Queue.objects.filter(name=name).exists()


def test_limits_that_change_take_back_what_was_sent(tenant: Tenant) -> None:
    sent, elsewhere = making.queued(tenant), making.queued(tenant, queue="mail")
    message, unconcerned = making.send(sent), making.send(elsewhere)
    limiting.change(QUEUE, {"max_concurrency": 1}, EVE)
    assert making.take(message) is None
    assert making.take(unconcerned) is not None


def test_a_change_names_only_what_changes_and_none_is_no_change(tenant: Tenant) -> None:
    limiting.change(QUEUE, {"max_concurrency": 2, "rate_limit": "5/s"}, EVE)
    limiting.change(QUEUE, {"rate_limit": None}, EVE)
    message = making.send(making.queued(tenant))
    limiting.change(QUEUE, {"max_concurrency": 2}, EVE)
    assert making.take(message) is not None
    first, second = entries("queue.change")
    assert first.before == {"max_concurrency": None, "rate_limit": "", "weight": 1}
    assert second.before == first.after
    assert second.after == {"max_concurrency": 2, "rate_limit": "", "weight": 1}
