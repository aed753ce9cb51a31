"""The machine with everything that decides when a job is sent: the dispatcher's own choosing,
limits, pauses, batches and workflows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from jobs import editing, lifecycle
from jobs.dispatcher.choosing import Choosing
from jobs.dispatcher.leader import Leader
from jobs.duplicates import OnDuplicate
from jobs.enqueue import DependsOn, enqueue
from jobs.message import FencedJob
from jobs.models import Job, OnFailure, RateUse, Worker
from jobs.models.leadership import DISPATCH
from tests.jobs import jobs_machine
from tests.jobs.groups_machine import EVE, SHAPES
from tests.jobs.jobs_machine import succeeds, which
from tests.jobs.kinds import ECHO
from tests.jobs.ledger import FINAL, WAITING, Edge, Place, Record, floor
from tests.jobs.limits_machine import OF_KEYS, QUEUES, TARGETS, TENANTS, TYPES, LimitsMachine
from tests.jobs.policies_ledger import Tick, Turns, occupied

priorities = st.sampled_from([10, 50, 50, 50, 80, 95])
outcomes = st.sampled_from([*["complete", "release"] * 2, "fail", "snooze"])
whose = st.sampled_from(TENANTS)
keys = st.sampled_from(["", "", "", "k"])


@st.composite
def places(draw: st.DrawFn) -> Place:
    job_type = draw(st.sampled_from([ECHO, *TYPES]))
    return Place(
        queue=draw(st.sampled_from(QUEUES)),
        type=job_type,
        tenant=draw(whose),
        key=draw(st.sampled_from("ab")) if job_type in OF_KEYS else "",
    )


REPLACED = {"enqueue_one", "enqueue_behind"}
ARGUMENTS: dict[str, st.SearchStrategy[tuple[Any, ...]]] = {
    **{name: given for name, given in jobs_machine.ARGUMENTS.items() if name not in REPLACED},
    "old_attempts_end": st.tuples(jobs_machine.endings),
    "enqueue_anywhere": st.tuples(places(), priorities, keys, st.booleans()),
    "enqueue_some": st.tuples(places(), priorities, st.integers(1, 4)),
    "enqueue_behind_some": st.tuples(
        which, which, st.sampled_from(list(OnFailure)), st.booleans()
    ),
    "somebody_asks_again": st.tuples(places(), priorities, st.booleans()),
    "somebody_edits_it": st.tuples(
        which, st.sampled_from(["priority", "run_at", "payload"]), priorities
    ),
    "hand_in_a_batch": st.tuples(
        st.lists(st.sampled_from(["plain", "keyed", "late", "behind"]), min_size=1, max_size=3),
        which,
        st.sets(st.sampled_from(["on_complete", "on_failure"])),
    ),
    "somebody_acts_on_a_batch": st.tuples(which, st.sampled_from(["cancel", "retry"])),
    "hand_in_a_workflow": st.tuples(
        whose, st.sampled_from(sorted(SHAPES)), st.sampled_from(list(OnFailure)), st.booleans(),
        which,
    ),
    "somebody_acts_on_a_workflow": st.tuples(which, st.sampled_from(["cancel", "retry", "retry"])),
    "pause": st.tuples(st.sampled_from(TARGETS)),
    "resume": st.tuples(st.sampled_from(TARGETS)),
    "limit_a_queue": st.tuples(st.sampled_from(QUEUES), st.sampled_from([None, 1, 2, 3])),
    "limit_starts": st.tuples(st.sampled_from(QUEUES), st.sampled_from([None, 1, 2, 4])),
    "limit_a_tenant": st.tuples(whose, st.sampled_from([None, 1, 2])),
    "the_worker_changes": st.tuples(st.integers(0, 6)),
    "everybody_goes_on": st.tuples(st.lists(outcomes, min_size=1)),
    "an_urgent_one_comes": st.tuples(places(), which),
    "tick": st.tuples(),
    "recall": st.tuples(),
    "another_leads": st.tuples(),
    "an_hour_passes": st.tuples(),
}  # fmt: skip
OFTEN = [
    *["everybody_goes_on"] * 10, *["go_on"] * 4, *["tick", "enqueue_some", "old_attempts_end"] * 3,
    *["pause", "resume", "limit_a_queue", "an_urgent_one_comes"] * 2,
    *["hand_in_a_batch", "somebody_acts_on_a_batch"] * 2,
    *["hand_in_a_workflow", "somebody_acts_on_a_workflow"] * 2,
]  # fmt: skip
STEPS = st.sampled_from([*ARGUMENTS, *OFTEN]).flatmap(
    lambda name: st.tuples(st.just(name), ARGUMENTS[name])
)


class PoliciesMachine(LimitsMachine):
    most_jobs = 16

    def __init__(self) -> None:
        super().__init__()
        self.leader = Leader(duty=DISPATCH, holder="", lease_seconds=3600)
        self.another_leads()

    @rule(drawn=STEPS)
    def step(self, drawn: tuple[str, tuple[Any, ...]]) -> None:
        super().step(drawn)

    # --- enqueue ---------------------------------------------------------------------------

    @initialize()
    def start_with_two(self) -> None:
        for tenant in TENANTS:
            self.enqueue_anywhere(self._echo(tenant), 50, "", delayed=False)

    def enqueue_anywhere(self, place: Place, priority: int, key: str, delayed: bool) -> None:
        status = "scheduled" if delayed else "queued"
        self._enqueue(Record(status, place, key=key, priority=priority, late=delayed))

    def enqueue_some(self, place: Place, priority: int, number: int) -> None:
        """First those of one tenant, then as many of the other."""
        for tenant in sorted(TENANTS, key=lambda tenant: tenant != place.tenant):
            for _ in range(number):
                self.enqueue_anywhere(replace(place, tenant=tenant), priority, "", delayed=False)

    def enqueue_behind_some(
        self, behind: int, other: int, on_failure: OnFailure, delayed: bool
    ) -> None:
        """Behind one job or two of a tenant."""
        first, _ = self._job(behind)
        waits_for = [first]
        second, _ = self._job(other)
        if second is not first and second.place.tenant == first.place.tenant:
            waits_for.append(second)
        record = Record("blocked", self._echo(first.place.tenant), late=delayed)
        record.edges = [Edge(one, on_failure.value) for one in waits_for]
        depends_on = [DependsOn(job_id=self._id(one), on_failure=on_failure) for one in waits_for]
        self._enqueue(record, depends_on=depends_on)

    def somebody_asks_again(self, place: Place, priority: int, delayed: bool) -> None:
        """A newer wish for the work that `k` stands for."""
        status = "scheduled" if delayed else "queued"
        record = Record(status, place, key="k", priority=priority, late=delayed)
        holder = self._holder(record)
        if holder is None:
            self._enqueue(record)
            return
        asked = self._options(record, on_duplicate=OnDuplicate.REPLACE)
        made = enqueue(self.tenants[place.tenant], place.type, self._payload(place), asked)
        assert (made.created, made.job.pk) == (False, self._id(holder))
        assert made.replaced == (holder.status in WAITING)
        if made.replaced:
            holder.replace(later=delayed)
            holder.place, holder.priority, holder.late = place, priority, delayed

    def somebody_edits_it(self, job: int, what: str, priority: int) -> None:
        record, job_id = self._job(job)
        changes: dict[str, dict[str, Any]] = {
            "priority": {"priority": priority},
            "run_at": {"run_at": None},
            "payload": {"payload": {"site": "b"}},
        }
        row = Job.objects.get(pk=job_id)
        could = record.status in WAITING | {"failed"}
        assert succeeds(lambda: editing.edit(row, EVE, changes[what])) == could
        if not could:
            return
        record.recall()
        if what == "priority":
            record.priority = priority
        elif what == "payload" and record.place.key:
            record.place = replace(record.place, key="b")
        elif what == "run_at":
            record.late = record.due = False
            record.status = "queued" if record.status == "scheduled" else record.status

    # --- the dispatcher ----------------------------------------------------------------------

    def go_on(self, job: int, ending: str) -> None:
        """Of the jobs that are not over, as long as there are any."""
        going = [i for i, record in enumerate(self.records) if record.status not in FINAL]
        super().go_on(going[job % len(going)] if going and job % 8 else job, ending)

    def everybody_goes_on(self, endings: list[str]) -> None:
        """What runs ends, what was sent starts, and the next are sent."""
        running = [i for i, one in enumerate(self.records) if one.status == "processing"]
        for number, job in enumerate(running):
            self.go_on_with(job, endings[number % len(endings)])
        for job in [i for i, one in enumerate(self.records) if one.sent]:
            self.go_on_with(job, "")
        self.tick()

    def go_on_with(self, job: int, ending: str) -> None:
        super().go_on(job, ending)
        self.take_in_what_follows()

    def old_attempts_end(self, ending: str) -> None:
        """All of those lately sent that no longer have their job."""
        for job, fence in self.messages[-20:]:
            if not self.records[job].holds(fence):
                self._end(self.records[job], FencedJob(self.ids[job], fence), ending)

    def dispatch(self, job: int) -> None:
        self.tick()

    def tick(self) -> None:
        """As the dispatcher's `_choose_and_mark`; nothing is published."""
        Worker.objects.update(seen_at=Now())
        self.policy.look()
        due = Tick(self.policy, self.records)
        with transaction.atomic():
            held = self.leader.hold()
            assert held
            chosen = self.choosing.choose(held)
            marked = lifecycle.dispatch(list(chosen.priorities), chosen.priorities)
            self.choosing.book(marked, chosen)
        fences = {each.id: each.fence for each in marked}
        assert set(fences) == set(chosen.priorities)
        sent = [self.records[self.ids.index(each.id)] for each in chosen.jobs]
        for record in sent:
            due.send(record)
            self.messages.append((self.records.index(record), record.fence))
        assert [fences[self._id(record)] for record in sent] == [each.fence for each in sent]
        due.check(sent)
        self.turns.check(sent, due.left())

    def an_urgent_one_comes(self, place: Place, job: int) -> None:
        """To a queue that goes one by one, behind another that was sent and not claimed."""
        self.limit_a_queue(place.queue, 1)
        self.tick()
        self.enqueue_anywhere(place, 95, "", delayed=False)
        here = [i for i, one in enumerate(self.records) if one.place.queue == place.queue]
        ready = [i for i in here if self.records[i].status == "queued" and not self.records[i].sent]
        if ready:
            self.somebody_boosts_it(ready[job % len(ready)], 60)
        self.recall()

    def recall(self) -> None:
        """Nothing is taken back without a reason, and nothing stays that is too much."""
        self.tick()  # it knows the policy as it now is
        number = self.choosing.recall(timezone.now())
        on_way = set(Job.objects.in_flight().values_list("pk", flat=True))
        gone = [one for one in self.records if one.sent and self._id(one) not in on_way]
        assert len(gone) == number
        counts = occupied(self.records)
        for record in gone:
            assert self.policy.exceeds(record.place, counts) or self._is_outranked(record)
        for record in gone:
            record.recall()
        for record in self.records:
            assert not (record.sent and self.policy.exceeds(record.place, occupied(self.records)))

    def _is_outranked(self, record: Record) -> bool:
        counts = occupied(self.records)
        without = occupied(one for one in self.records if one is not record)
        return self.policy.is_full(record.place, counts) and any(
            floor(one.priority) > floor(record.priority)
            and one.status == "queued"
            and not one.sent
            and self.policy.is_free(one.place, without)
            for one in self.records
        )

    def another_leads(self) -> None:
        self.leader.resign()
        assert self.leader.take()
        self.choosing = Choosing(lambda job_type: None)
        self.turns = Turns(*TENANTS)

    def an_hour_passes(self) -> None:
        """For the starts that rates count; all rates are by the hour."""
        started = RateUse.objects.filter(started_at__isnull=False)
        started.update(started_at=F("started_at") - timedelta(hours=1))
        self.choosing.forget()
        self.policy.forget_starts()

    # --- choosing ------------------------------------------------------------------------------

    def _id(self, record: Record) -> Any:
        return self.ids[self.records.index(record)]
