"""The whole grid: every transition tried on a job in every situation, on the real database."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable

import pytest

from accounts.models import Tenant
from jobs import lifecycle
from jobs.exceptions import AttemptLost, TransitionRefused
from jobs.lifecycle import Move
from jobs.models import Attempt, Dependency, Job, OnFailure
from jobs.states import ACTIVE, FINAL, TRANSITIONS, WAITING, Status
from tests.jobs import making
from tests.jobs.making import SITUATIONS, fresh, in_situation, row
from tests.jobs.verbs import CRASH_LIMIT, VERBS

Announced = list[tuple[str, list[Move]]]

# A queued job is sent once at a time, and only what was sent can be withdrawn or claimed.
UNSENT, SENT = {"dispatch"}, {"withdraw", "claim"}
# Where a status alone does not say where the move leads.
LEADS_TO = {
    "settle": Status.QUEUED,
    "retry_later": Status.SCHEDULED,
    "snooze": Status.SCHEDULED,
    "release": Status.QUEUED,
    "lose": Status.QUEUED,
    "rescue": Status.QUEUED,
    "complete": Status.COMPLETED,
    "fail": Status.FAILED,
    "force_queue": Status.QUEUED,
    "force_fail": Status.FAILED,
}
STAYS = {"progress", "renew", "boost", "discard", "replace", "edit"}
SILENT = {"dispatch", "progress", "renew"}  # the engine alone needs to know
LEAVES_PROCESSING = {
    "complete", "fail", "retry_later", "snooze", "release", "lose", "rescue", "confirm_cancel",
}  # fmt: skip
RAISES = {
    **dict.fromkeys(LEAVES_PROCESSING - {"rescue"} | {"progress"}, AttemptLost),
    **dict.fromkeys(
        ("cancel", "boost", "revive", "force_queue", "force_fail", "discard", "replace", "edit"),
        TransitionRefused,
    ),
}
KEEPS_FENCE = {"claim", "progress", "renew", "boost", "discard"}
LEAVING = {
    "status", "fence", "lease_expires_at", "actual_duration_seconds", "completed_at",
    "cancelled_at",
}  # fmt: skip
FORCING = {
    "status", "fence", "dispatched_at", "visible_at", "actual_duration_seconds", "cancelled_at",
}  # fmt: skip
WRITES = {
    "settle": {"status", "visible_at", "queued_at", "fence"},
    "expire": {"status", "fence", "visible_at", "dispatched_at", "cancelled_at", "cancelled_by"},
    "promote": {"status", "visible_at", "queued_at", "fence"},
    "dispatch": {"dispatched_at", "sent_priority", "fence"},
    "withdraw": {"dispatched_at", "fence"},
    "claim": {
        "status", "attempt", "dispatched_at", "started_at", "worker", "incarnation", "claim_id",
        "lease_expires_at", "progress", "progress_message", "error",
    },
    "progress": {"progress", "progress_message"},
    "renew": {"lease_expires_at"},
    "complete": LEAVING | {"result", "progress"},
    "fail": LEAVING | {"error", "fingerprint"},
    "retry_later": LEAVING | {"error", "retry_count", "visible_at"},
    "snooze": LEAVING | {"visible_at"},
    "release": LEAVING | {"queued_at"},
    "lose": LEAVING | {"queued_at", "error", "crash_count"},
    "rescue": LEAVING | {"queued_at", "error", "crash_count"},
    "confirm_cancel": LEAVING | {"error", "cancelled_by"},
    "cancel": {
        "status", "fence", "cancel_requested_at", "cancelled_at", "cancelled_by", "dispatched_at",
        "visible_at",
    },
    "boost": {"priority"},
    "replace": {
        "payload", "labels", "fence", "dispatched_at", "retry_count", "crash_count", "error",
    },
    "edit": {"payload", "labels", "fence", "dispatched_at"},
    "revive": {
        "status", "run", "fence", "retry_count", "crash_count", "progress", "progress_message",
        "result", "error", "actual_duration_seconds", "completed_at", "cancelled_at",
        "cancelled_by", "cancel_requested_at", "discarded_at", "worker", "queued_at",
        "fingerprint",
    },
    "reblock": {
        "status", "run", "fence", "retry_count", "crash_count", "progress", "progress_message",
        "error", "actual_duration_seconds", "completed_at", "cancelled_at", "cancelled_by",
        "cancel_requested_at", "discarded_at", "worker", "fingerprint",
    },
    "force_queue": FORCING | {"queued_at"},
    "force_fail": FORCING | {"completed_at", "error", "fingerprint"},
    "discard": {"discarded_at"},
}  # fmt: skip


def is_allowed(name: str, situation: str) -> bool:
    status, _ = SITUATIONS[situation]
    if status not in TRANSITIONS[name].sources:
        return False
    if status == Status.QUEUED and name in UNSENT | SENT:
        return (situation == "dispatched") == (name in SENT)
    return True


def target(name: str, situation: str) -> Status:
    """Where the move leads from there."""
    status, _ = SITUATIONS[situation]
    if situation == "asked to cancel" and name not in STAYS | {"cancel"}:
        return Status.CANCELLED
    if name in STAYS:
        return status
    if name == "cancel":
        return status if status == Status.PROCESSING else Status.CANCELLED
    (only,) = {LEADS_TO[name]} if name in LEADS_TO else TRANSITIONS[name].targets
    return only


GRID = [(name, situation) for name in VERBS for situation in SITUATIONS]
LEGAL = [pair for pair in GRID if is_allowed(*pair)]
ILLEGAL = [pair for pair in GRID if not is_allowed(*pair)]


@pytest.mark.parametrize(("name", "situation"), LEGAL)
def test_g3_a_legal_transition_moves_the_job_as_declared(
    name: str, situation: str, tenant: Tenant, announced: Announced
) -> None:
    job = in_situation(tenant, situation)
    VERBS[name].prepare(job)
    before = row(job)
    announced.clear()

    VERBS[name].act(job)

    after = row(job)
    assert Status(after["status"]) == target(name, situation)
    assert after["status"] in TRANSITIONS[name].targets
    assert after["fence"] - before["fence"] == fence_growth(name, situation)
    changed = {column for column in before if before[column] != after[column]}
    assert changed - {"updated_at"} <= WRITES[name]
    assert after["updated_at"] > before["updated_at"]
    told = [transition for transition, moves in announced if job.pk in {m.id for m in moves}]
    assert told == ([] if name in SILENT else [name])


def fence_growth(name: str, situation: str) -> int:
    if name in KEEPS_FENCE:
        return 0
    return 0 if name == "cancel" and SITUATIONS[situation][0] == Status.PROCESSING else 1


@pytest.mark.parametrize(("name", "situation"), ILLEGAL)
def test_g3_an_illegal_transition_changes_nothing(
    name: str, situation: str, tenant: Tenant, announced: Announced
) -> None:
    job = in_situation(tenant, situation)
    VERBS[name].prepare(job)
    before, attempts = row(job), Attempt.objects.count()
    announced.clear()

    if name in RAISES:
        with pytest.raises(RAISES[name]):
            VERBS[name].act(job)
    else:
        assert not VERBS[name].act(job)

    assert row(job) == before
    assert Attempt.objects.count() == attempts
    assert not [moves for _, moves in announced if job.pk in {moved.id for moved in moves}]


@pytest.mark.parametrize("name", sorted(RAISES))
def test_a_job_that_does_not_exist_is_refused(name: str, tenant: Tenant) -> None:
    with pytest.raises(RAISES[name]):
        VERBS_ON_NOTHING[name]()


NOBODY = making.stranger()
VERBS_ON_NOTHING: dict[str, Callable[[], object]] = {
    "progress": lambda: lifecycle.progress(NOBODY, percent=1, message=""),
    "complete": lambda: lifecycle.complete(NOBODY, result=None),
    "fail": lambda: lifecycle.fail(NOBODY, error=making.ERROR),
    "retry_later": lambda: lifecycle.retry_later(NOBODY, delay_seconds=1, error=making.ERROR),
    "snooze": lambda: lifecycle.snooze(NOBODY, delay_seconds=1),
    "release": lambda: lifecycle.release(NOBODY, error=making.ERROR),
    "lose": lambda: lifecycle.lose(NOBODY, crash_limit=1, error=making.ERROR),
    "confirm_cancel": lambda: lifecycle.confirm_cancel(NOBODY, by=""),
    "cancel": lambda: lifecycle.cancel(NOBODY.id, by=""),
    "boost": lambda: lifecycle.boost(NOBODY.id, by=1, highest=100),
    "replace": lambda: lifecycle.replace(NOBODY.id, {"labels": {}}, start_at=None),
    "edit": lambda: lifecycle.edit(NOBODY.id, {"labels": {}}),
    "revive": lambda: lifecycle.revive(NOBODY.id),
    "force_queue": lambda: lifecycle.force_queue(NOBODY.id, error=making.ERROR),
    "force_fail": lambda: lifecycle.force_fail(NOBODY.id, error=making.ERROR),
    "discard": lambda: lifecycle.discard(NOBODY.id),
}


@pytest.mark.parametrize("status", [Status.BLOCKED, Status.SCHEDULED, Status.QUEUED])
def test_a_job_is_born_in_each_waiting_status_with_fence_zero(
    status: Status, tenant: Tenant, announced: Announced
) -> None:
    situation = {"blocked": "blocked", "scheduled": "scheduled", "queued": "ready"}[status]

    job = in_situation(tenant, situation)

    assert (job.status, job.fence, job.run, job.attempt) == (status, 0, 1, 0)
    assert announced[-1][0] == "create"
    assert [moved.id for moved in announced[-1][1]] == [job.pk]


@pytest.mark.parametrize(
    ("on_failure", "ending", "expected"),
    [
        (OnFailure.CANCEL, "complete", Status.QUEUED),
        (OnFailure.CANCEL, "fail", Status.CANCELLED),
        (OnFailure.CANCEL, "cancel", Status.CANCELLED),
        (OnFailure.FAIL, "complete", Status.QUEUED),
        (OnFailure.FAIL, "fail", Status.FAILED),
        (OnFailure.FAIL, "cancel", Status.FAILED),
        (OnFailure.RUN, "complete", Status.QUEUED),
        (OnFailure.RUN, "fail", Status.QUEUED),
        (OnFailure.RUN, "cancel", Status.QUEUED),
    ],
)
def test_a_dependant_follows_its_edge(
    on_failure: OnFailure, ending: str, expected: Status, tenant: Tenant
) -> None:
    first = making.queued(tenant)
    job = making.blocked(tenant, first)
    Dependency.objects.filter(job=job).update(on_failure=on_failure)
    if ending != "cancel":
        making.start(first)

    VERBS[ending].act(first)

    job.refresh_from_db()
    assert job.status == expected
    assert job.fence == 1
    if expected == Status.FAILED:
        assert job.error is not None
        assert job.error["type"] == "dependency_failed"
    if expected == Status.CANCELLED:
        assert job.cancelled_by == "dependency"


def test_a_dependant_waits_for_the_last_of_its_dependencies(tenant: Tenant) -> None:
    first, second = making.queued(tenant), making.queued(tenant)
    job = making.blocked(tenant, first, second)

    making.complete(second)
    assert fresh(job).status == Status.BLOCKED

    making.complete(first)
    assert fresh(job).status == Status.QUEUED


def test_a_chain_behind_a_failed_job_ends_to_its_last_link(tenant: Tenant) -> None:
    first = making.queued(tenant)
    chain = [first]
    for _ in range(4):
        chain.append(making.blocked(tenant, chain[-1]))

    lifecycle.cancel(first.pk, by="user:eve")

    assert {fresh(job).status for job in chain} == {Status.CANCELLED}


def test_a_delayed_dependant_is_scheduled_once_it_is_opened(tenant: Tenant) -> None:
    first = making.queued(tenant)
    job = making.blocked(tenant, first, delay_seconds=3600)

    making.complete(first)

    job.refresh_from_db()
    assert job.status == Status.SCHEDULED
    assert job.visible_at == job.run_at


@pytest.mark.parametrize("name", ["lose", "rescue"])
@pytest.mark.parametrize(("crashes", "expected"), [(0, "queued"), (3, "queued"), (4, "failed")])
def test_a_lost_attempt_ends_the_job_only_at_the_crash_limit(
    name: str, crashes: int, expected: str, tenant: Tenant
) -> None:
    job = in_situation(tenant, "processing")
    Job.objects.filter(pk=job.pk).update(crash_count=crashes)
    VERBS[name].prepare(job)

    VERBS[name].act(job)

    job.refresh_from_db()
    assert job.status == expected
    assert job.crash_count == crashes + 1 <= CRASH_LIMIT
    assert (job.completed_at is not None) == (expected == "failed")


def test_every_target_that_is_declared_is_reached() -> None:
    reached: defaultdict[str, set[Status]] = defaultdict(set)
    for name, situation in LEGAL:
        reached[name].add(target(name, situation))
    reached["create"] = {Status.BLOCKED, Status.SCHEDULED, Status.QUEUED}
    reached["settle"] |= {Status.SCHEDULED, Status.FAILED, Status.CANCELLED}  # tested above
    reached["lose"].add(Status.FAILED)
    reached["rescue"].add(Status.FAILED)

    assert reached == {name: set(known.targets) for name, known in TRANSITIONS.items()}


def test_every_transition_has_its_function_and_every_function_its_transition() -> None:
    functions = {name for name in lifecycle.__all__ if inspect.isfunction(getattr(lifecycle, name))}
    of_many = {name for name in functions if name.endswith("_all")}
    reads_or_synonyms = {"behind", "claimed_before", "promote_now", "lock", *of_many}

    assert set(VERBS) | {"create"} == set(TRANSITIONS)
    assert {verb.function for verb in VERBS.values()} | {"create"} == functions - reads_or_synonyms


def test_statuses_divide_into_waiting_running_and_final() -> None:
    assert WAITING | {Status.PROCESSING} | FINAL == set(Status)
    assert set(Status) - FINAL == ACTIVE
    assert not WAITING & FINAL
    assert [status for status in Status if status.is_final] == [
        Status.COMPLETED, Status.FAILED, Status.CANCELLED,
    ]  # fmt: skip


@pytest.mark.parametrize("situation", SITUATIONS)
def test_promote_now_moves_a_scheduled_job_alone(situation: str, tenant: Tenant) -> None:
    job = in_situation(tenant, situation)
    before = row(job)

    moved = lifecycle.promote_now(job.pk)

    assert moved == (situation == "scheduled")
    assert (row(job) == before) == (not moved)
    if moved:
        assert fresh(job).visible_at is None
        assert fresh(job).status == Status.QUEUED


def test_upkeep_takes_no_more_jobs_than_its_limit(tenant: Tenant) -> None:
    jobs = [making.scheduled(tenant) for _ in range(3)]
    for job in jobs:
        making.let_pass(job, "visible_at")

    assert len(lifecycle.promote(2)) == 2
    assert len(lifecycle.promote(2)) == 1


def test_what_is_not_due_yet_stays(tenant: Tenant) -> None:
    waiting, running = making.scheduled(tenant), in_situation(tenant, "processing")

    assert lifecycle.promote(10) == []
    assert lifecycle.expire(10) == []
    assert lifecycle.rescue(limit=10, crash_limit=5, error=making.ERROR) == []
    assert fresh(waiting).status == Status.SCHEDULED
    assert fresh(running).status == Status.PROCESSING
