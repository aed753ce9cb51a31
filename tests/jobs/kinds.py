"""The job type that most tests here hand in: any payload, nothing to run."""

from workloads.diagnostics.job_types import echo

ECHO = echo.name
QUEUE = echo.queue
