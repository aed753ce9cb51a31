"""What a person may do to schedules here besides editing: each verb, and doing it to many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from accounts.roles import Role
from accounts.staff import Staff
from jobs.admin.doing import Outcome, perform
from jobs.operations import Actor
from scheduling import verbs
from scheduling.exceptions import NotRun
from scheduling.handing_in import WAITS_ALREADY
from scheduling.models import Schedule


@dataclass(frozen=True, kw_only=True)
class Verb:
    """`done` completes the sentence “3 schedules …”. `warning`: what is asked before it is done."""

    name: str
    label: str
    done: str
    act: Callable[[Schedule, Actor], object]
    fits: Callable[[Schedule], bool]
    warning: str = ""
    in_list: bool = True

    def allowed(self, person: Staff, schedule: Schedule) -> bool:
        return may_write(person, schedule)


def may_write(person: Staff, schedule: Schedule) -> bool:
    return person.may(Role.OPERATOR, schedule.tenant_id)


def offered(person: Staff, schedule: Schedule) -> list[Verb]:
    return [
        verb for verb in VERBS.values() if verb.fits(schedule) and verb.allowed(person, schedule)
    ]


def do(verb: Verb, schedules: Sequence[Schedule], person: Staff, by: Actor) -> Outcome:
    def refusal(schedule: Schedule) -> str:
        if not verb.allowed(person, schedule):
            return f"needs the role {Role.OPERATOR} in {schedule.tenant}"
        return "" if verb.fits(schedule) else "that is so already"

    return perform(schedules, lambda one: verb.act(one, by), refusal)


def _run(schedule: Schedule, by: Actor) -> None:
    if not verbs.hand_in(schedule, by).created:
        raise NotRun(WAITS_ALREADY)


VERBS = {
    verb.name: verb
    for verb in (
        Verb(name="run", label="Run now", done="run now", act=_run, fits=lambda one: True),
        Verb(
            name="on", label="Switch on", done="switched on",
            act=lambda one, by: verbs.toggle(one, by, enabled=True),
            fits=lambda one: not one.enabled,
        ),
        Verb(
            name="off", label="Switch off", done="switched off",
            act=lambda one, by: verbs.toggle(one, by, enabled=False),
            fits=lambda one: one.enabled,
        ),
        Verb(
            name="delete", label="Delete", done="deleted", act=verbs.delete, in_list=False,
            fits=lambda one: not one.declared,
            warning="Its history goes with it. Its jobs stay.",
        ),
    )
}  # fmt: skip
