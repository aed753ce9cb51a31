"""What people do to single jobs, beside the life that the jobs would have without them."""

from __future__ import annotations

from collections.abc import Callable

from jobs import lifecycle
from tests.jobs.jobs_machine import JobsMachine, succeeds
from tests.jobs.ledger import FINAL, WAITING
from tests.jobs.making import ERROR


class PeopleMachine(JobsMachine):
    def somebody_stops_it(self, job: int, verb: str) -> None:
        running = [i for i, record in enumerate(self.records) if record.status == "processing"]
        record, job_id = self._job(running[job % len(running)] if running and job % 4 else job)
        could = record.status not in FINAL
        asked: dict[str, Callable[[], object]] = {
            "cancel": lambda: lifecycle.cancel(job_id, by="eve"),
            "force_queue": lambda: lifecycle.force_queue(job_id, error=ERROR),
            "force_fail": lambda: lifecycle.force_fail(job_id, error=ERROR),
        }
        assert succeeds(asked[verb]) == could
        if could:
            told: dict[str, Callable[[], None]] = {
                "cancel": record.cancel,
                "force_queue": lambda: record.force("queued"),
                "force_fail": lambda: record.force("failed"),
            }
            told[verb]()

    def somebody_boosts_it(self, job: int, by: int) -> None:
        record, job_id = self._job(job)
        boosted = succeeds(lambda: lifecycle.boost(job_id, by=by, highest=100))
        assert boosted == (record.status in WAITING)
        if boosted:
            record.boost(by)

    def somebody_changes_it(self, job: int, verb: str) -> None:
        record, job_id = self._job(job)
        newer = {"labels": {"newer": "yes"}}
        asked: dict[str, Callable[[], object]] = {
            "edit": lambda: lifecycle.edit(job_id, newer),
            "replace": lambda: lifecycle.replace(job_id, newer, start_at=None),
        }
        could = record.status in WAITING or (verb == "edit" and record.status == "failed")
        assert succeeds(asked[verb]) == could
        if could:
            {"edit": record.recall, "replace": record.replace}[verb]()
