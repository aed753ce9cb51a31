"""The life of a job as data: its statuses, and every transition between them.

`jobs.lifecycle` performs these transitions and nothing else writes `Job.status`; the database
repeats the status rules as constraints; `docs/reference/states.md` draws them, and a test
compares that chart with this module.
"""

from dataclasses import dataclass

from django.db.models import TextChoices


class Status(TextChoices):
    BLOCKED = "blocked"  # waits for other jobs; left by settle
    SCHEDULED = (
        "scheduled"  # waits for `visible_at`: a start time, a retry, a snooze; left by promote
    )
    QUEUED = "queued"  # may run; with `dispatched_at` a message is on its way to a worker
    PROCESSING = "processing"  # one attempt holds the lease
    COMPLETED = "completed"  # final
    FAILED = "failed"  # final; a dead letter until it is revived or discarded
    CANCELLED = "cancelled"  # final

    @property
    def is_final(self) -> bool:
        return self in FINAL


WAITING = frozenset({Status.BLOCKED, Status.SCHEDULED, Status.QUEUED})
FINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})
ACTIVE = WAITING | {Status.PROCESSING}


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One named move. `sources` is empty for the birth of a job."""

    name: str
    sources: frozenset[Status]
    targets: frozenset[Status]
    who: str


def _transition(name: str, sources: set[Status], targets: set[Status], who: str) -> Transition:
    return Transition(name=name, sources=frozenset(sources), targets=frozenset(targets), who=who)


_B, _S, _Q, _P = Status.BLOCKED, Status.SCHEDULED, Status.QUEUED, Status.PROCESSING
_DONE, _FAILED, _CANCELLED = Status.COMPLETED, Status.FAILED, Status.CANCELLED

# Where a cancel was requested, each move out of processing ends in `cancelled` instead.
TRANSITIONS = {
    transition.name: transition
    for transition in (
        _transition("create", set(), {_B, _S, _Q}, "enqueue"),
        _transition(
            "settle", {_B}, {_S, _Q, _FAILED, _CANCELLED}, "end of a dependency; dispatcher"
        ),
        _transition("expire", {_B, _S, _Q}, {_CANCELLED}, "dispatcher"),
        _transition("promote", {_S}, {_Q}, "dispatcher"),
        _transition("dispatch", {_Q}, {_Q}, "dispatcher"),
        _transition("withdraw", {_Q}, {_Q}, "dispatcher; boost"),
        _transition("claim", {_Q}, {_P}, "worker"),
        _transition("progress", {_P}, {_P}, "worker"),
        _transition("renew", {_P}, {_P}, "worker"),
        _transition("complete", {_P}, {_DONE, _CANCELLED}, "worker"),
        _transition("fail", {_P}, {_FAILED, _CANCELLED}, "worker"),
        _transition("retry_later", {_P}, {_S, _CANCELLED}, "worker"),
        _transition("snooze", {_P}, {_S, _CANCELLED}, "worker"),
        _transition("release", {_P}, {_Q, _CANCELLED}, "worker"),
        _transition("lose", {_P}, {_Q, _FAILED, _CANCELLED}, "worker, for a child that died"),
        _transition("rescue", {_P}, {_Q, _FAILED, _CANCELLED}, "dispatcher"),
        _transition("cancel", {_B, _S, _Q, _P}, {_CANCELLED, _P}, "API, admin"),
        _transition("confirm_cancel", {_P}, {_CANCELLED}, "worker"),
        _transition("replace", {_B, _S, _Q}, {_B, _S, _Q}, "enqueue"),
        _transition("edit", {_B, _S, _Q, _FAILED}, {_B, _S, _Q, _FAILED}, "API, operator"),
        _transition("boost", {_B, _S, _Q}, {_B, _S, _Q}, "operator"),
        _transition("revive", {_FAILED, _CANCELLED}, {_Q}, "operator"),
        _transition("reblock", {_FAILED, _CANCELLED}, {_B}, "operator, for a workflow"),
        _transition("force_queue", {_B, _S, _Q, _P}, {_Q, _CANCELLED}, "operator"),
        _transition("force_fail", {_B, _S, _Q, _P}, {_FAILED, _CANCELLED}, "operator"),
        _transition("discard", {_FAILED, _CANCELLED}, {_FAILED, _CANCELLED}, "operator"),
    )
}
