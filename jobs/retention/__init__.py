"""How long ended jobs are kept, and their removal in small batches.

`Retention` is what the dispatcher runs; `result_of` is how everybody reads a job's result, and
`is_over` is asked before one that lies in storage is shown.
"""

from jobs.retention.results import has_expired, is_over, result_of
from jobs.retention.round import Retention

__all__ = ["Retention", "has_expired", "is_over", "result_of"]
