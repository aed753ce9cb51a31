"""Takes one guard out of the engine, in this process alone: the tests that watch it must go red.

Every sabotage names the places it spoils and how. One that finds nothing to spoil is an error: a
harness that sabotages nothing proves nothing. Product code knows nothing of this; the tests and
the programs they start call `sabotage_as_told` when the environment names a sabotage.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

SABOTAGE = "CELERIAC_TEST_SABOTAGE"  # the environment variable that names one

_LEASE_OVER = "AND (job.lease_expires_at IS NULL OR job.lease_expires_at <= clock_timestamp())"


@dataclass(frozen=True, kw_only=True)
class Sabotage:
    """`old` becomes `new` in every SQL text of the module whose name begins with `prefix`."""

    what: str
    module: str
    old: str
    new: str
    prefix: str = "_"

    def commit(self) -> Callable[[], None]:
        """Do it; returns what undoes it."""
        module = import_module(self.module)
        before = {
            name: text
            for name, text in vars(module).items()
            if name.startswith(self.prefix) and isinstance(text, str) and self.old in text
        }
        assert before, f"nothing to sabotage in {self.module}: {self.what}"
        for name, text in before.items():
            setattr(module, name, text.replace(self.old, self.new))
        return lambda: _restore(module, before)


def _restore(module: ModuleType, before: dict[str, str]) -> None:
    for name, text in before.items():
        setattr(module, name, text)


SABOTAGES = {
    "outcome-fence": Sabotage(
        what="an outcome names the job without its fence",
        module="jobs.lifecycle.ending", old="job.fence = %(fence)s", new="TRUE",
    ),
    "claim-fence": Sabotage(
        what="a claim names the job without its fence",
        module="jobs.lifecycle.leasing", old="job.fence = %(fence)s", new="TRUE", prefix="_CLAIM",
    ),
    "claim-dispatched": Sabotage(
        what="a claim takes a job that no message was sent for",
        module="jobs.lifecycle.leasing", old="AND job.dispatched_at IS NOT NULL", new="",
    ),
    "claim-lease": Sabotage(
        what="a claim does not wait for the old lease",
        module="jobs.lifecycle.leasing", old=_LEASE_OVER, new="",
    ),
    "progress-fence": Sabotage(
        what="progress names the job without its fence",
        module="jobs.lifecycle.leasing", old="job.fence = %(fence)s", new="TRUE",
        prefix="_PROGRESS",
    ),
    "rescue": Sabotage(
        what="nobody takes back the jobs of dead workers",
        module="jobs.lifecycle.ending", old="job.lease_expires_at < clock_timestamp()", new="FALSE",
    ),
    "rescue-lease": Sabotage(
        what="rescue does not wait for the lease",
        module="jobs.lifecycle.ending", old="job.lease_expires_at < clock_timestamp()", new="TRUE",
    ),
    "cancel": Sabotage(
        what="an outcome does not look for a cancel",
        module="jobs.lifecycle.ending", old="job.cancel_requested_at IS NULL", new="TRUE",
    ),
    "withdraw-fence": Sabotage(
        what="a withdrawn message keeps its fence",
        module="jobs.lifecycle.waiting", old="fence = job.fence + 1", new="fence = job.fence",
        prefix="_WITHDRAW",
    ),
    "leader-term": Sabotage(
        what="a leader does not look at its term",
        module="jobs.dispatcher.leader",
        old="AND term = %(term)s AND expires_at > clock_timestamp()", new="", prefix="_HOLD",
    ),
}  # fmt: skip


def sabotage_as_told() -> None:
    """Called once in each process of a sabotaged run."""
    if name := os.environ.get(SABOTAGE):
        SABOTAGES[name].commit()
