"""Why a job is not running: every reason by its name, with its numbers and what would change it.

- `reason`: what is told; the codes.
- `explaining`: all reasons of one job, and when it is likely to start.
- `estimate`: how long it is likely to wait, where nobody asked why.
- `attendance`: is somebody at work; `holds`: pauses and closed keys; `limits`: concurrency, rates,
  the tenant's quota; `standing`: what of the job's own state keeps it.
"""

from jobs.explain.estimate import estimated_wait
from jobs.explain.explaining import explain
from jobs.explain.reason import Code, Explanation, Reason

__all__ = ["Code", "Explanation", "Reason", "estimated_wait", "explain"]
