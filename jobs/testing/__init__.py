"""The kit for testing code that hands in jobs, and the code of jobs. docs/howto/testing.md

Jobs run in the test's own process: no broker, no worker, no dispatcher. They are the same rows,
moved by the same transitions, as in production; what is left out is said in that document.
"""

from jobs.testing.clock import FakeClock, fake_clock
from jobs.testing.enqueued import assert_enqueued, assert_not_enqueued, enqueued
from jobs.testing.inlining import inline
from jobs.testing.running import CannotRun, drain, run_inline

__all__ = [
    "CannotRun",
    "FakeClock",
    "assert_enqueued",
    "assert_not_enqueued",
    "drain",
    "enqueued",
    "fake_clock",
    "inline",
    "run_inline",
]
