"""The last runs of some schedules, each with how its job ended: one statement for a whole page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from jobs.states import Status
from scheduling.models import Schedule
from scheduling.policies import Decision

LAST = 12

# Raw SQL: the ORM has no LATERAL, and a window over all firings would read every one of them.
_LAST = """
SELECT recent.schedule_id, recent.decision, recent.reason, job.status,
       coalesce(recent.moment, recent.decided_at)
  FROM unnest(%(schedules)s::uuid[]) AS wanted (id)
 CROSS JOIN LATERAL (
       SELECT * FROM scheduling_firing
        WHERE schedule_id = wanted.id ORDER BY id DESC LIMIT %(last)s) AS recent
  LEFT JOIN jobs_job AS job ON job.id = recent.job_id
 ORDER BY recent.id
"""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What became of one moment. `outcome` is a word and a colour."""

    outcome: str
    at: datetime
    reason: str = ""

    @property
    def sentence(self) -> str:
        why = f" ({self.reason})" if self.reason else ""
        return f"{self.at:%d %b %H:%M} UTC: {self.outcome}{why}"


def outcome_of(decision: str, status: str | None) -> str:
    """A job's status where there is one; else what was decided instead."""
    if decision != Decision.FIRED:
        return Decision(decision).value
    return Status(status).value if status else "removed"


def strips(schedules: Sequence[Schedule]) -> Mapping[UUID, Sequence[Mark]]:
    """The last LAST of each, oldest first."""
    found: dict[UUID, list[Mark]] = {one.pk: [] for one in schedules}
    with connection.cursor() as cursor:
        cursor.execute(_LAST, {"schedules": list(found), "last": LAST})
        for schedule_id, decision, reason, status, at in cursor.fetchall():
            mark = Mark(outcome=outcome_of(decision, status), at=at, reason=reason)
            found[schedule_id].append(mark)
    return found
