"""All that GET /stats and the dashboard tell at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.models import Job
from jobs.states import Status
from jobs.stats.counting import Counts, counts_of
from jobs.stats.measured import Measured, Window, measured
from jobs.stats.picking import newest_of, oldest_of
from jobs.stats.whose import Whose


@dataclass(frozen=True, kw_only=True)
class Overview:
    """`oldest`: of the queued jobs; `newest`: of all. Both without payload and result."""

    counts: Counts
    measured: Measured
    oldest: Job | None
    newest: Sequence[Job]

    @property
    def estimated_wait_seconds(self) -> float | None:
        """What a job handed in now would wait, if all went on as measured. None: nothing was."""
        return expected_wait(self.counts.statuses[Status.QUEUED].number, self.measured)

    @property
    def average_seconds(self) -> float | None:
        return self.measured.windows[Window.DAY].average_seconds

    @property
    def retry_success_rate(self) -> float | None:
        return self.measured.windows[Window.DAY].retry_success_rate


def expected_wait(ahead: int, so_far: Measured) -> float | None:
    """Seconds until so many jobs are worked off."""
    if ahead == 0:
        return 0.0
    return ahead / so_far.per_second if so_far.per_second else None


def overview(whose: Whose) -> Overview:
    return Overview(
        counts=counts_of(whose),
        measured=measured(whose),
        oldest=oldest_of(whose),
        newest=newest_of(whose),
    )
