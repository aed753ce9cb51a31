"""Checks, after the storm, that the promises were kept: from the rows, from a journal that a
trigger keeps of every change of status, and from the traces that job code left outside.

    I1  every accepted job exists, and has ended
    I2  no run ends twice
    I3  every change of status is one that `jobs.states` allows
    I4  the attempts of a job do not overlap, by their rows and by their traces
    I5  the result that was kept is of the last attempt
    I6  no more repeats than the faults can account for
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection

from jobs.models import Attempt, Job
from jobs.states import FINAL, TRANSITIONS, Status
from tests.testapp.trace import traces

_PREPARE = """
    CREATE TABLE IF NOT EXISTS journal (
        number bigserial PRIMARY KEY, job_id uuid, run int, fence bigint, was text, became text);
    CREATE OR REPLACE FUNCTION keep_journal() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO journal (job_id, run, fence, was, became)
        VALUES (NEW.id, NEW.run, NEW.fence, OLD.status, NEW.status);
        RETURN NULL;
    END $$;
    CREATE OR REPLACE TRIGGER journal AFTER UPDATE OF status ON jobs_job
        FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION keep_journal();
    TRUNCATE journal;
"""
_LEGAL = {
    (source.value, target.value)
    for transition in TRANSITIONS.values()
    for source in transition.sources
    for target in transition.targets
}


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What is to be checked. `faults` is how many attempts the faults can have cut short;
    `thawed` are attempts whose process was frozen as a whole: their code may run on for the
    moment that its watchdog needs, which no lease can prevent."""

    accepted: Collection[UUID]
    trace: Path
    faults: int
    thawed: Collection[str] = ()
    breaches: list[str] = field(default_factory=list)

    @staticmethod
    def prepare() -> None:
        """Start an empty journal, in the database that Django is on."""
        with connection.cursor() as cursor:
            cursor.execute(_PREPARE)

    def check(self) -> None:
        """Fails the test with every breach that it finds."""
        jobs = {job.pk: job for job in Job.objects.filter(pk__in=self.accepted)}
        self._all_ended(jobs)
        self._ended_once()
        self._legally()
        self._apart(jobs)
        self._last_result(jobs)
        self._repeats()
        shown = "\n".join(self.breaches[:20])
        assert not self.breaches, f"{len(self.breaches)} breaches, among them:\n{shown}"

    def _breach(self, invariant: str, text: str) -> None:
        self.breaches.append(f"{invariant}: {text}")

    def _all_ended(self, jobs: dict[UUID, Job]) -> None:
        for job_id in self.accepted:
            if job_id not in jobs:
                self._breach("I1", f"job {job_id} was accepted and is gone")
            elif jobs[job_id].status not in FINAL:
                self._breach("I1", f"job {job_id} is still {jobs[job_id].status}")

    def _ended_once(self) -> None:
        ends = [status.value for status in FINAL]
        for job_id, run, number in _rows(
            """SELECT job_id, run, count(*) FROM journal WHERE became = ANY(%s)
                GROUP BY job_id, run HAVING count(*) > 1""",
            [ends],
        ):
            self._breach("I2", f"run {run} of job {job_id} ended {number} times")

    def _legally(self) -> None:
        for job_id, was, became in _rows("SELECT job_id, was, became FROM journal"):
            if (was, became) not in _LEGAL:
                self._breach("I3", f"job {job_id} went from {was} to {became}")

    def _apart(self, jobs: dict[UUID, Job]) -> None:
        spans: defaultdict[UUID, list[tuple[Any, Any]]] = defaultdict(list)
        for attempt in Attempt.objects.filter(job__in=jobs):
            spans[attempt.job_id].append((attempt.started_at, attempt.ended_at))
        for job in jobs.values():
            if job.status == Status.COMPLETED:
                spans[job.pk].append((job.started_at, job.completed_at))
        for job_id, of_job in spans.items():
            of_job.sort()
            if any(end > start for (_, end), (start, _) in pairwise(of_job)):
                self._breach("I4", f"attempts of job {job_id} overlap by their rows: {of_job}")
        self._apart_by_traces()

    def _apart_by_traces(self) -> None:
        """Whoever starts ends the time of everybody before: no sign of life may follow."""
        holder: dict[str, str] = {}
        over: set[str] = set()
        for line in traces(self.trace):
            attempt = line["attempt"]
            job = attempt.partition(":")[0]
            if line["mark"] == "start":
                if attempt in over or holder.get(job) == attempt:
                    self._breach("I4", f"attempt {attempt} started twice")
                over.add(holder.get(job, ""))
                holder[job] = attempt
            elif attempt in over and attempt not in self.thawed:
                self._breach("I4", f"attempt {attempt} was alive after {holder[job]} started")

    def _last_result(self, jobs: dict[UUID, Job]) -> None:
        for job in jobs.values():
            if job.status == Status.COMPLETED:
                last = f"{job.pk}:{job.fence - 1}"
                if not isinstance(job.result, dict) or job.result["attempt"] != last:
                    self._breach("I5", f"job {job.pk} keeps {job.result}, its last was {last}")

    def _repeats(self) -> None:
        repeats = Attempt.objects.filter(job__in=self.accepted).count()
        if repeats > self.faults:
            self._breach("I6", f"{repeats} attempts were repeated, {self.faults} were cut short")


def _rows(statement: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
