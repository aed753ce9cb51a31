"""What a person may do to jobs here: each verb, where it is offered, and doing it to many.

The verbs themselves, with their audit entries, are `jobs.operations`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from accounts.roles import Role
from accounts.staff import Staff
from jobs import operations
from jobs.exceptions import JobsError
from jobs.models import Job
from jobs.operations import Actor
from jobs.priorities import HIGHEST
from jobs.states import TRANSITIONS, Status

BOOST = 20
MOST = 200  # jobs at once


@dataclass(frozen=True, kw_only=True)
class Verb:
    """`done` completes the sentence “3 jobs …”. `warning`: what is asked before it is done."""

    name: str
    label: str
    done: str
    statuses: frozenset[Status]
    act: Callable[[Job, Actor, int], object]
    role: Role = Role.OPERATOR
    warning: str = ""
    in_list: bool = True

    @property
    def takes_amount(self) -> bool:
        return self is VERBS["boost"]

    def fits(self, job: Job) -> bool:
        """Whether the job's status allows it."""
        if self is VERBS["discard"] and job.discarded_at is not None:
            return False
        if self is VERBS["cancel"] and job.cancel_requested_at is not None:
            return False
        return job.status in self.statuses

    def allowed(self, person: Staff, job: Job) -> bool:
        return person.may(self.role, job.tenant_id)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How many jobs were changed, and how many were not, by reason."""

    changed: int
    refused: Counter[str]


def offered(person: Staff, job: Job) -> list[Verb]:
    return [verb for verb in VERBS.values() if verb.fits(job) and verb.allowed(person, job)]


def perform(verb: Verb, jobs: Sequence[Job], person: Staff, by: Actor, amount: int) -> Outcome:
    """Each job by itself: one that refuses stops no other."""
    changed, refused = 0, Counter[str]()
    for job in jobs:
        reason = _attempt(verb, job, person, by, amount)
        changed += not reason
        refused.update([reason] if reason else [])
    return Outcome(changed=changed, refused=refused)


def _attempt(verb: Verb, job: Job, person: Staff, by: Actor, amount: int) -> str:
    """Do it; the reason where it was refused."""
    if not verb.allowed(person, job):
        return f"needs the role {verb.role} in {job.tenant}"
    if not verb.fits(job):
        return _unfit(verb, job)
    try:
        verb.act(job, by, amount)
    except JobsError as error:
        return str(error).rstrip(".")
    return ""


def _unfit(verb: Verb, job: Job) -> str:
    if job.status in verb.statuses:
        return "that is done or asked for already"
    return f"the status is {job.status}"


def sentence(verb: Verb, outcome: Outcome) -> str:
    """“2 jobs cancelled. 1 left as it was: the status is completed.”"""
    told = [f"{_count(outcome.changed)} {verb.done}."] if outcome.changed else []
    for reason, number in outcome.refused.most_common():
        told.append(f"{_count(number)} left alone: {reason}.")
    return " ".join(told) or "No jobs were chosen."


def _count(number: int) -> str:
    return "1 job" if number == 1 else f"{number} jobs"


def amount_of(text: str) -> int:
    """How much to boost by. Raises ValueError with a message for people."""
    if text.isascii() and text.isdigit() and 1 <= int(text) <= HIGHEST:
        return int(text)
    raise ValueError(f"A boost is a whole number from 1 to {HIGHEST}.")


VERBS = {
    verb.name: verb
    for verb in (
        Verb(
            name="run-now", label="Run now", done="queued to run now",
            statuses=TRANSITIONS["promote"].sources,
            act=lambda job, by, amount: operations.run_now(job, by),
        ),
        Verb(
            name="boost", label="Boost", done="boosted", statuses=TRANSITIONS["boost"].sources,
            act=lambda job, by, amount: operations.boost(job, by, amount=amount),
        ),
        Verb(
            name="retry", label="Retry", done="queued again",
            statuses=TRANSITIONS["revive"].sources,
            act=lambda job, by, amount: operations.retry(job, by),
        ),
        Verb(
            name="cancel", label="Cancel", done="cancelled or asked to end",
            statuses=TRANSITIONS["cancel"].sources,
            act=lambda job, by, amount: operations.cancel(job, by),
            warning="A job that waits ends at once. One that runs is asked to end, and keeps no "
            "result.",
        ),
        Verb(
            name="discard", label="Discard", done="discarded",
            statuses=TRANSITIONS["discard"].sources,
            act=lambda job, by, amount: operations.discard(job, by),
            warning="A discarded job leaves the dead letters, and is removed when its retention "
            "is over.",
        ),
        Verb(
            name="put-back", label="Put back into the queue", done="put back into the queue",
            statuses=frozenset({Status.PROCESSING}), role=Role.ADMIN, in_list=False,
            act=lambda job, by, amount: operations.put_back(job, by),
            warning="The worker that holds the job loses it; what it still writes is refused. "
            "Another may start it when the lease has run out.",
        ),
        Verb(
            name="give-up", label="End as failed", done="ended as failed",
            statuses=frozenset({Status.PROCESSING}), role=Role.ADMIN, in_list=False,
            act=lambda job, by, amount: operations.give_up(job, by),
            warning="The worker that holds the job loses it; what it still writes is refused. "
            "The job becomes a dead letter.",
        ),
    )
}  # fmt: skip
