"""A hypothesis machine that tries the engine's verbs on a few jobs, in any order.

It has one rule, which draws the step with its arguments: with a rule for each, hypothesis leaves
most of them out of any one run, and hardly a job is ever claimed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from accounts.models import Tenant
from jobs import lifecycle
from jobs.dispatcher import upkeep
from jobs.enqueue import DependsOn, JobOptions, enqueue
from jobs.exceptions import AttemptLost, TransitionRefused
from jobs.message import FencedJob
from jobs.models import Job, OnFailure
from tests.jobs.kinds import ECHO, QUEUE
from tests.jobs.ledger import FINAL, WAITING, Edge, Place, Record, settle
from tests.jobs.making import ERROR, INCARNATION, LEASE_SECONDS, WORKER, let_pass

CRASH_LIMIT = 3
MOST_JOBS = 5
PLAIN = Place(queue=QUEUE, type=ECHO, tenant="acme")

which = st.integers(0, 10_000)  # one of what there is, by its remainder
endings = st.sampled_from(
    ["complete", "fail", "retry_later", "snooze", "release", "lose", "confirm_cancel"]
)
# The arguments of each step; most steps are the ordinary ones, or few jobs would come far.
ARGUMENTS: dict[str, st.SearchStrategy[tuple[Any, ...]]] = {
    "go_on": st.tuples(which, endings),
    "enqueue_one": st.tuples(st.sampled_from(["", "k"]), st.booleans()),
    "enqueue_behind": st.tuples(which, st.sampled_from(list(OnFailure)), st.booleans()),
    "an_old_attempt_ends": st.tuples(which, endings),
    "a_message_is_used_again": st.tuples(
        which, st.sampled_from(["claim", "claim", "withdraw", "renew", "progress"])
    ),
    "time_passes": st.tuples(
        which, st.sampled_from(["lease", "rescue", "time", "promote", "settle", "expiry"])
    ),
    "somebody_stops_it": st.tuples(which, st.sampled_from(["cancel", "force_queue", "force_fail"])),
    "somebody_cares_for_a_dead_letter": st.tuples(which, st.sampled_from(["revive", "discard"])),
    "somebody_boosts_it": st.tuples(which, st.sampled_from([1, 25, 60])),
    "somebody_changes_it": st.tuples(which, st.sampled_from(["edit", "replace"])),
}
STEPS = st.sampled_from([*ARGUMENTS, *["go_on"] * 10]).flatmap(
    lambda name: st.tuples(st.just(name), ARGUMENTS[name])
)

# What each ending leads to, and its line in the history.
ENDS: dict[str, tuple[str, str | None]] = {
    "complete": ("completed", None),
    "fail": ("failed", "failed"),
    "retry_later": ("scheduled", "retried"),
    "snooze": ("scheduled", "snoozed"),
    "release": ("queued", "released"),
    "confirm_cancel": ("cancelled", "cancelled"),
}


def succeeds(verb: Callable[[], object]) -> bool:
    with suppress(AttemptLost, TransitionRefused):
        verb()
        return True
    return False


class JobsMachine(RuleBasedStateMachine):
    tenants: ClassVar[dict[str, Tenant]]
    most_jobs = MOST_JOBS

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Record] = []
        self.ids: list[UUID] = []
        self.messages: list[tuple[int, int]] = []  # (job, fence): all that were ever sent
        self.completions: Counter[tuple[UUID, int]] = Counter()
        self.everything = transaction.atomic()
        self.everything.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.everything.__exit__(None, None, None)

    @rule(drawn=STEPS)
    def step(self, drawn: tuple[str, tuple[Any, ...]]) -> None:
        name, arguments = drawn
        getattr(self, name)(*arguments)
        self.take_in_what_follows()

    def take_in_what_follows(self) -> None:
        """In the ledger; the engine did it in the transaction of the step."""
        settle(self.records)

    # --- enqueue -------------------------------------------------------------------------

    @initialize()
    def start_with_two(self) -> None:
        self.enqueue_one(key="k", delayed=False)
        self.enqueue_one(key="", delayed=False)

    def enqueue_one(self, key: str, delayed: bool) -> None:
        status = "scheduled" if delayed else "queued"
        self._enqueue(Record(status, PLAIN, key=key, late=delayed))

    def enqueue_behind(self, behind: int, on_failure: OnFailure, delayed: bool) -> None:
        first, first_id = self._job(behind)
        record = Record("blocked", PLAIN, edges=[Edge(first, on_failure.value)], late=delayed)
        self._enqueue(record, depends_on=[DependsOn(job_id=first_id, on_failure=on_failure)])

    def _enqueue(self, record: Record, **options: Any) -> None:
        if len(self.records) >= self.most_jobs:
            return
        holder = self._holder(record)
        asked = self._options(record, **options)
        place = record.place
        made = enqueue(self.tenants[place.tenant], place.type, self._payload(place), asked)
        assert made.created == (holder is None)
        if holder:
            assert made.job.pk == self.ids[self.records.index(holder)]
        else:
            self._adopt(record, made.job)

    def _adopt(self, record: Record, job: Job) -> None:
        record.seq = job.seq
        self.records.append(record)
        self.ids.append(job.pk)

    @staticmethod
    def _options(record: Record, **options: Any) -> JobOptions:
        return JobOptions(
            queue=record.place.queue,
            unique_key=record.key,
            priority=record.priority,
            delay_seconds=3600 if record.late else None,
            **options,
        )

    @staticmethod
    def _payload(place: Place) -> dict[str, str]:
        return {"site": place.key} if place.key else {}

    # --- the ordinary way of a job ---------------------------------------------------------

    def go_on(self, job: int, ending: str) -> None:
        """The next thing that happens to a job of which nobody wants anything special."""
        record, job_id = self._job(job)
        if record.status in FINAL:
            self.somebody_cares_for_a_dead_letter(job, "revive")
        elif record.status == "scheduled":
            self.time_comes(record, job_id)
            self.promote()
        elif record.status == "processing":
            self._end(record, FencedJob(job_id, record.fence), ending)
        elif record.sent:
            self._claim(record, FencedJob(job_id, record.fence))
        else:
            self.dispatch(job)

    def dispatch(self, job: int) -> None:
        record, job_id = self._job(job)
        sent = lifecycle.dispatch([job_id])
        if record.status == "queued" and not record.sent:
            record.send()
            self.messages.append((job % len(self.records), record.fence))
            assert [marked.fence for marked in sent] == [record.fence]
        else:
            assert not sent

    def _claim(self, record: Record, sent: FencedJob) -> None:
        claimed = lifecycle.claim(
            sent, worker=WORKER, incarnation=INCARNATION, lease_seconds=LEASE_SECONDS
        )
        assert (claimed is not None) == record.claimable(sent.fence)
        if claimed:
            record.begin()
            assert (claimed.attempt, claimed.run) == (record.attempt, record.run)

    def _end(self, record: Record, held: FencedJob, ending: str) -> None:
        write = {
            "complete": lambda: lifecycle.complete(held, result=held.fence),
            "fail": lambda: lifecycle.fail(held, error=ERROR),
            "retry_later": lambda: lifecycle.retry_later(held, delay_seconds=99, error=ERROR),
            "snooze": lambda: lifecycle.snooze(held, delay_seconds=99),
            "release": lambda: lifecycle.release(held, error=ERROR),
            "lose": lambda: lifecycle.lose(held, crash_limit=CRASH_LIMIT, error=ERROR),
            "confirm_cancel": lambda: lifecycle.confirm_cancel(held, by="job"),
        }[ending]
        assert succeeds(write) == record.holds(held.fence)
        if not record.holds(held.fence):
            return
        if ending == "lose":
            record.crash(CRASH_LIMIT)
            return
        if ending == "complete" and not record.cancel_asked:
            self.completions[held.id, record.run] += 1
            record.result = held.fence
        record.retries += ending == "retry_later" and not record.cancel_asked
        record.leave(*ENDS[ending])

    # --- messages and attempts that come late, twice, or out of turn --------------------------

    def an_old_attempt_ends(self, message: int, ending: str) -> None:
        if self.messages:
            self._end(*self._message(message), ending)

    def a_message_is_used_again(self, message: int, verb: str) -> None:
        if not self.messages:
            return
        record, sent = self._message(message)
        {
            "claim": self._claim,
            "withdraw": self._withdraw,
            "renew": self._renew,
            "progress": self._progress,
        }[verb](record, sent)

    def _withdraw(self, record: Record, sent: FencedJob) -> None:
        could = record.status == "queued" and record.sent and record.fence == sent.fence
        assert len(lifecycle.withdraw([sent])) == could
        if could:
            record.recall()

    def _renew(self, record: Record, held: FencedJob) -> None:
        renewed = lifecycle.renew([held], lease_seconds=LEASE_SECONDS).renewed
        assert bool(renewed) == record.holds(held.fence)
        record.lease = True if renewed else record.lease

    def _progress(self, record: Record, held: FencedJob) -> None:
        told = succeeds(lambda: lifecycle.progress(held, percent=5, message=""))
        assert told == record.holds(held.fence)

    # --- time, and the dispatcher's upkeep ---------------------------------------------------

    def time_passes(self, job: int, verb: str) -> None:
        if verb == "lease":
            self.lease_expires(*self._job(job))
        elif verb == "time":
            self.time_comes(*self._job(job))
        elif verb == "expiry":
            self.expire(*self._job(job))
        else:
            {"rescue": self.rescue, "promote": self.promote, "settle": upkeep.Settle().run}[verb]()

    def time_comes(self, record: Record, job_id: UUID) -> None:
        if record.status == "scheduled":
            record.due = True
            let_pass(Job.objects.get(pk=job_id), "visible_at")

    def lease_expires(self, record: Record, job_id: UUID) -> None:
        if record.lease:
            record.lease = False
            let_pass(Job.objects.get(pk=job_id), "lease_expires_at")

    def expire(self, record: Record, job_id: UUID) -> None:
        waits = record.status in WAITING
        if waits:
            let_pass(Job.objects.get(pk=job_id), "expires_at")
            record.move("cancelled")
        assert len(lifecycle.expire(100)) == waits

    def promote(self) -> None:
        due = [record for record in self.records if record.due]
        assert len(lifecycle.promote(100)) == len(due)
        for record in due:
            record.move("queued")

    def rescue(self) -> None:
        dead = [r for r in self.records if r.status == "processing" and r.lease is False]
        moves = lifecycle.rescue(limit=100, crash_limit=CRASH_LIMIT, error=ERROR)
        assert len(moves) == len(dead)
        for record in dead:
            record.crash(CRASH_LIMIT)

    # --- dead letters ------------------------------------------------------------------------

    def somebody_cares_for_a_dead_letter(self, job: int, verb: str) -> None:
        record, job_id = self._job(job)
        could = record.status in {"failed", "cancelled"}
        if verb == "discard":
            assert succeeds(lambda: lifecycle.discard(job_id)) == could
            record.discarded |= could
            return
        could = could and self._holder(record) is None and not self._is_behind(record)
        assert succeeds(lambda: lifecycle.revive(job_id)) == could
        if could:
            record.revive()

    def _is_behind(self, record: Record) -> bool:
        """Whether it is a step of a workflow, and one before it has not completed."""
        return False

    # --- choosing ----------------------------------------------------------------------------

    def _job(self, number: int) -> tuple[Record, UUID]:
        index = number % len(self.records)
        return self.records[index], self.ids[index]

    def _message(self, number: int) -> tuple[Record, FencedJob]:
        index, fence = self.messages[-1 - number % min(len(self.messages), 6)]  # rather a late one
        return self.records[index], FencedJob(self.ids[index], fence)

    def _holder(self, record: Record) -> Record | None:
        """The active job that has its unique key."""
        same = [other for other in self.records if other.is_same_work(record)]
        return next((other for other in same if other.status not in FINAL), None)
