"""Batches and workflows, played beside the life of single jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from hypothesis.stateful import invariant

from jobs import batches, workflows
from jobs.enqueue import DependsOn, Enqueued, JobOptions, JobRequest
from jobs.models import Batch, Job, OnFailure, Workflow
from jobs.operations import Actor
from jobs.workflows import After, Step
from jobs.workflows import acting as workflows_acting
from tests.jobs.checked import Checked
from tests.jobs.jobs_machine import succeeds
from tests.jobs.kinds import ECHO, QUEUE
from tests.jobs.ledger import FINAL, Edge, Place, Record, settle

EVE = Actor(name="user:eve")
DEAD = {"failed", "cancelled"}

# The steps of a workflow, each with those that it waits for.
SHAPES: dict[str, dict[str, tuple[str, ...]]] = {
    "chain": {"a": (), "b": ("a",), "c": ("b",)},
    "fan": {"a": (), "b": ("a",), "c": ("a",)},
    "gather": {"a": (), "b": (), "c": ("a", "b")},
    "triangle": {"a": (), "b": ("a",), "c": ("a", "b")},
}


@dataclass(eq=False)
class Together:
    """A batch: its jobs, what it wished for, and which of the wishes were granted."""

    row: Batch
    tenant: str
    records: list[Record]
    wishes: set[str]
    granted: dict[str, Job] = field(default_factory=dict)

    @property
    def due(self) -> list[str]:
        """Wishes whose time has come, in the order in which they are granted."""
        is_over = all(one.status in FINAL for one in self.records)
        is_failing = any(one.status == "failed" for one in self.records)
        due = ["on_complete"] * is_over + ["on_failure"] * is_failing
        return [wish for wish in due if wish in self.wishes and wish not in self.granted]


class GroupsMachine(Checked):
    def __init__(self) -> None:
        super().__init__()
        self.batches: list[Together] = []
        self.workflows: list[tuple[Workflow, list[Record]]] = []

    def take_in_what_follows(self) -> None:
        settle(self.records)
        for batch in self.batches:
            for wish in batch.due:
                found = Batch.objects.values_list(f"{wish}_job", flat=True).get(pk=batch.row.pk)
                assert found is not None, f"{wish} is due"
                job = Job.objects.get(pk=found)
                self._adopt(Record("queued", self._echo(batch.tenant)), job)
                batch.granted[wish] = job

    @staticmethod
    def _echo(tenant: str) -> Place:
        return Place(queue=QUEUE, type=ECHO, tenant=tenant)

    # --- batches -----------------------------------------------------------------------------

    def hand_in_a_batch(self, kinds: Sequence[str], behind: int, wishes: Collection[str]) -> None:
        """Of the tenant whose job the blocked ones wait for."""
        if len(self.records) + len(kinds) > self.most_jobs:
            return
        first, first_id = self._job(behind)
        tenant = first.place.tenant
        edge = DependsOn(job_id=first_id, on_failure=OnFailure.FAIL)
        drafts = [self._draft(kind, tenant, first) for kind in kinds]
        wish = JobRequest(type_name=ECHO, payload={}, options=JobOptions(priority=50))
        handed_in = batches.hand_in(
            self.tenants[tenant],
            [
                JobRequest(
                    type_name=one.place.type,
                    payload=self._payload(one.place),
                    options=self._options(one, depends_on=[edge] if one.edges else []),
                )
                for one in drafts
            ],
            on_complete=wish if "on_complete" in wishes else None,
            on_failure=wish if "on_failure" in wishes else None,
        )
        batch = Together(handed_in.batch, tenant, [], set(wishes))
        for draft, outcome in zip(drafts, handed_in.outcomes, strict=True):
            assert isinstance(outcome, Enqueued)
            assert outcome.created == (self._holder(draft) is None)
            if outcome.created:
                self._adopt(draft, outcome.job)
                batch.records.append(draft)
        self.batches.append(batch)

    def _draft(self, kind: str, tenant: str, first: Record) -> Record:
        match kind:
            case "behind":
                return Record("blocked", self._echo(tenant), edges=[Edge(first, "fail")])
            case "late":
                return Record("scheduled", self._echo(tenant), late=True)
        return Record("queued", self._echo(tenant), key="k" if kind == "keyed" else "")

    def somebody_acts_on_a_batch(self, number: int, verb: str) -> None:
        if not self.batches:
            return
        batch = self.batches[number % len(self.batches)]
        chosen = self._to_cancel(batch) if verb == "cancel" else self._to_retry(batch)
        act = batches.cancel if verb == "cancel" else batches.retry
        assert act(batch.row, EVE) == len(chosen)
        for one in chosen:
            {"cancel": one.cancel, "retry": one.revive}[verb]()

    @staticmethod
    def _to_cancel(batch: Together) -> list[Record]:
        return [one for one in batch.records if one.status not in FINAL and not _was_asked(one)]

    def _to_retry(self, batch: Together) -> list[Record]:
        """Of those with the same unique key the first, if no active one has it."""
        chosen: list[Record] = []
        for one in sorted(batch.records, key=lambda one: one.seq):
            taken = self._holder(one) or any(one.is_same_work(other) for other in chosen)
            if one.status in DEAD and not one.discarded and not taken:
                chosen.append(one)
        return chosen

    @invariant()
    def batches_count_what_became_of_their_jobs(self) -> None:
        for batch in self.batches:
            row = Batch.objects.get(pk=batch.row.pk)
            counts = Counter(one.status for one in batch.records)
            assert row.total == len(batch.records)
            for status in FINAL:
                assert getattr(row, status) == counts[status]
            is_over = all(one.status in FINAL for one in batch.records)
            assert (row.finished_at is not None) == is_over
            for wish in ("on_complete", "on_failure"):
                job = batch.granted.get(wish)
                assert getattr(row, f"{wish}_job") == (job.pk if job else None)

    # --- workflows ---------------------------------------------------------------------------

    def hand_in_a_workflow(
        self, tenant: str, shape: str, on_failure: OnFailure, late: bool, behind: int
    ) -> None:
        """The first step waits for a job outside of it."""
        if len(self.records) + len(SHAPES[shape]) > self.most_jobs:
            return
        first, first_id = self._job(behind)
        outside = [DependsOn(job_id=first_id)] if first.place.tenant == tenant else []
        drafts = {name: Record("queued", self._echo(tenant)) for name in SHAPES[shape]}
        for name, after in SHAPES[shape].items():
            drafts[name].edges = [Edge(drafts[each], on_failure.value) for each in after]
        drafts["a"].edges = [Edge(first, "cancel") for _ in outside]
        drafts["b"].late = late
        for one in drafts.values():
            one.status = "blocked" if one.edges else "scheduled" if one.late else "queued"
        handed_in = workflows.hand_in(
            self.tenants[tenant],
            "",
            {
                name: Step(
                    type_name=ECHO,
                    options=self._options(drafts[name], depends_on=outside if name == "a" else []),
                    after=[After(step=each, on_failure=on_failure) for each in after],
                )
                for name, after in SHAPES[shape].items()
            },
        )
        for name, one in drafts.items():
            self._adopt(one, handed_in.jobs[name])
        self.workflows.append((handed_in.workflow, list(drafts.values())))

    def _is_behind(self, record: Record) -> bool:
        inside = [one for _, steps in self.workflows if record in steps for one in steps]
        return any(
            edge.on in inside
            and edge.on.status != "completed"
            and not (edge.on_failure == "run" and edge.on.status in DEAD)
            for edge in record.edges
        )

    def somebody_acts_on_a_workflow(self, number: int, verb: str) -> None:
        if not self.workflows:
            return
        workflow, steps = self.workflows[number % len(self.workflows)]
        if verb == "cancel":
            going = [one for one in steps if one.status not in FINAL]
            assert succeeds(lambda: workflows_acting.cancel(workflow, EVE)) == bool(going)
            for one in going:
                one.cancel()
        else:
            self._retry(workflow, _to_retry(steps))

    @staticmethod
    def _retry(workflow: Workflow, again: list[Record]) -> None:
        """Each waits anew for those of its dependencies that go on or run again."""
        assert succeeds(lambda: workflows_acting.retry(workflow, EVE)) == bool(again)
        unended = [
            one
            for one in again
            if any(edge.on in again or edge.on.status not in FINAL for edge in one.edges)
        ]
        for one in again:
            if one not in unended:
                one.revive()
        for one in unended:
            one.reblock()


def _to_retry(steps: Sequence[Record]) -> list[Record]:
    """Those that ended, but for those that would wait in vain: for a job outside that has not
    completed, or for a step that stays as it is. The steps are in the order of their edges."""
    again: list[Record] = []
    for one in steps:
        in_vain = any(
            edge.on.status in DEAD and edge.on not in again and edge.on_failure != "run"
            for edge in one.edges
        )
        if one.status in DEAD and not in_vain:
            again.append(one)
    return again


def _was_asked(record: Record) -> bool:
    """Jobs that run and were asked to end are not asked again."""
    return record.status == "processing" and record.cancel_asked
