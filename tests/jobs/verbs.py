"""Each transition as a call on one job: what must be so before, and whether it moved the job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone

from jobs import lifecycle
from jobs.models import Dependency, Job
from tests.jobs import making
from tests.jobs.making import ERROR, held, let_pass

CRASH_LIMIT = 5
NEWER = {"payload": {"page": 2}, "labels": {"course": "7"}}  # what a newer request says


@dataclass(frozen=True, kw_only=True)
class Verb:
    """`act` performs the transition; `prepare` makes its time come and may write anything but
    what the transition writes. `function` is its name in `jobs.lifecycle`."""

    function: str
    act: Callable[[Job], object]
    prepare: Callable[[Job], None] = lambda job: None


def _nothing_left_to_wait_for(job: Job) -> None:
    """Every job that this one waits for has ended, and nobody has told it: as when they end
    while it is inserted. A job that waits for none gets such an edge."""
    edges = Dependency.objects.filter(job=job)
    if not edges:
        Dependency.objects.create(job=job, depends_on=making.queued(job.tenant))
    for edge in edges.all():
        making.complete(edge.depends_on)
    Dependency.objects.filter(job=job).update(settled_at=None)


def _prepare_settle(job: Job) -> None:
    if job.status != "blocked":
        _nothing_left_to_wait_for(job)


def _something_to_wait_for(job: Job) -> None:
    """A job that has not ended, whose edge was settled when this one ended."""
    Dependency.objects.filter(job=job).delete()
    other = making.queued(job.tenant)
    Dependency.objects.create(job=job, depends_on=other, settled_at=timezone.now())


def _settle(job: Job) -> None:
    for edge in list(Dependency.objects.filter(job=job)):
        if edge.depends_on.is_final:
            lifecycle.settle_ended([edge.depends_on_id])
        else:
            making.complete(edge.depends_on)


VERBS: dict[str, Verb] = {
    "settle": Verb(function="settle_ended", prepare=_prepare_settle, act=_settle),
    "expire": Verb(
        function="expire",
        prepare=lambda job: let_pass(job, "expires_at"),
        act=lambda job: lifecycle.expire(100),
    ),
    "promote": Verb(
        function="promote",
        prepare=lambda job: let_pass(job, "visible_at"),
        act=lambda job: lifecycle.promote(100),
    ),
    "dispatch": Verb(function="dispatch", act=lambda job: lifecycle.dispatch([job.pk])),
    "withdraw": Verb(function="withdraw", act=lambda job: lifecycle.withdraw([held(job)])),
    "claim": Verb(function="claim", act=lambda job: making.take(held(job))),
    "progress": Verb(
        function="progress",
        act=lambda job: lifecycle.progress(held(job), percent=40, message="halfway"),
    ),
    "renew": Verb(
        function="renew",
        act=lambda job: lifecycle.renew([held(job)], lease_seconds=60).renewed,
    ),
    "complete": Verb(
        function="complete", act=lambda job: lifecycle.complete(held(job), result={"pages": 3})
    ),
    "fail": Verb(function="fail", act=lambda job: lifecycle.fail(held(job), error=ERROR)),
    "retry_later": Verb(
        function="retry_later",
        act=lambda job: lifecycle.retry_later(held(job), delay_seconds=60, error=ERROR),
    ),
    "snooze": Verb(
        function="snooze", act=lambda job: lifecycle.snooze(held(job), delay_seconds=60)
    ),
    "release": Verb(function="release", act=lambda job: lifecycle.release(held(job), error=ERROR)),
    "lose": Verb(
        function="lose",
        act=lambda job: lifecycle.lose(held(job), crash_limit=CRASH_LIMIT, error=ERROR),
    ),
    "rescue": Verb(
        function="rescue",
        prepare=lambda job: let_pass(job, "lease_expires_at"),
        act=lambda job: lifecycle.rescue(limit=100, crash_limit=CRASH_LIMIT, error=ERROR),
    ),
    "cancel": Verb(function="cancel", act=lambda job: lifecycle.cancel(job.pk, by="user:bob")),
    "confirm_cancel": Verb(
        function="confirm_cancel",
        act=lambda job: lifecycle.confirm_cancel(held(job), by="job:itself"),
    ),
    "boost": Verb(function="boost", act=lambda job: lifecycle.boost(job.pk, by=3, highest=100)),
    "replace": Verb(
        function="replace",
        act=lambda job: lifecycle.replace(job.pk, NEWER, start_at=job.visible_at),
    ),
    "edit": Verb(function="edit", act=lambda job: lifecycle.edit(job.pk, NEWER)),
    "revive": Verb(function="revive", act=lambda job: lifecycle.revive(job.pk)),
    "reblock": Verb(
        function="reblock",
        prepare=_something_to_wait_for,
        act=lambda job: lifecycle.reblock([job.pk]),
    ),
    "force_queue": Verb(
        function="force_queue", act=lambda job: lifecycle.force_queue(job.pk, error=ERROR)
    ),
    "force_fail": Verb(
        function="force_fail", act=lambda job: lifecycle.force_fail(job.pk, error=ERROR)
    ),
    "discard": Verb(function="discard", act=lambda job: lifecycle.discard(job.pk)),
}
