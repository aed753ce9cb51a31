"""Figures about jobs, at a cost that does not grow with their number.

Every function takes `Whose`, the jobs that are looked at, and returns a frozen value:

- `overview(whose)`: all of GET /stats; `counts_of(whose)`: the counts alone;
- `queues_of(whose, names)`: each queue's depth, counts, oldest job and workers;
- `waiting_of(whose)`: depth by queue and level; `oldest_of(whose)`, `newest_of(whose)`: jobs;
- `series_of(whose, metric, span=…, step=…)`: points of a chart;
- `workers_of(whose)`: workers, their states, and which of those jobs they run.

Counts stop at ten thousand; beyond that stands the planner's estimate, and `exact` is false. What
ended is read from one row a minute (`Rollup`), which the leading dispatcher writes a few seconds
late, and from the jobs that ended since.
"""

from jobs.stats.counting import Count, Counts, counts_of
from jobs.stats.measured import Measured, Window, measured
from jobs.stats.overview import Overview, expected_wait, overview
from jobs.stats.picking import newest_of, oldest_of
from jobs.stats.queues import QueueFigures, queues_of
from jobs.stats.series import METRICS, Point, Series, series_of
from jobs.stats.waiting import Depth, waiting_of
from jobs.stats.whose import ALL_THERE_ARE, EVERYBODYS, Whose
from jobs.stats.workers import WorkerFigures, WorkerState, workers_of

__all__ = [
    "ALL_THERE_ARE",
    "EVERYBODYS",
    "METRICS",
    "Count",
    "Counts",
    "Depth",
    "Measured",
    "Overview",
    "Point",
    "QueueFigures",
    "Series",
    "Whose",
    "Window",
    "WorkerFigures",
    "WorkerState",
    "counts_of",
    "expected_wait",
    "measured",
    "newest_of",
    "oldest_of",
    "overview",
    "queues_of",
    "series_of",
    "waiting_of",
    "workers_of",
]
