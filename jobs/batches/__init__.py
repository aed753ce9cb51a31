"""Jobs that are handed in together, counted together, and followed by a job when all have ended.

The counters themselves move where jobs end: `jobs.lifecycle.counting`.
"""

from jobs.batches.acting import cancel, retry
from jobs.batches.figures import BatchStatus, counts_of, progress_of, status_of, with_counts
from jobs.batches.handing_in import MOST_JOBS, HandedIn, hand_in

__all__ = [
    "MOST_JOBS",
    "BatchStatus",
    "HandedIn",
    "cancel",
    "counts_of",
    "hand_in",
    "progress_of",
    "retry",
    "status_of",
    "with_counts",
]
