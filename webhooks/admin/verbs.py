"""What a person may do to endpoints here besides editing, and to deliveries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from accounts.roles import Role
from accounts.staff import Staff
from jobs.admin.doing import Outcome, perform
from jobs.operations import Actor
from webhooks import redelivering, verbs
from webhooks.models import Delivery, Endpoint
from webhooks.policies import DisabledBecause


@dataclass(frozen=True, kw_only=True)
class Verb:
    """`done` completes the sentence “3 endpoints …”. `warning`: what is asked before it is done."""

    name: str
    label: str
    done: str
    act: Callable[[Endpoint, Actor], object]
    fits: Callable[[Endpoint], bool]
    warning: str = ""
    unfit: str = "that is so already"
    in_list: bool = True

    def allowed(self, person: Staff, endpoint: Endpoint) -> bool:
        return may_write(person, endpoint)


def may_write(person: Staff, row: Endpoint | Delivery) -> bool:
    """Whether this person may change it, or have it sent: as with `webhooks:write`."""
    return person.may(Role.OPERATOR, row.tenant_id)


def offered(person: Staff, endpoint: Endpoint) -> list[Verb]:
    return [
        verb for verb in VERBS.values() if verb.fits(endpoint) and verb.allowed(person, endpoint)
    ]


def do(verb: Verb, endpoints: Sequence[Endpoint], person: Staff, by: Actor) -> Outcome:
    def refusal(endpoint: Endpoint) -> str:
        if not verb.allowed(person, endpoint):
            return f"needs the role {Role.OPERATOR} in {endpoint.tenant}"
        return "" if verb.fits(endpoint) else verb.unfit

    return perform(endpoints, lambda one: verb.act(one, by), refusal)


def send_again(deliveries: Sequence[Delivery], person: Staff, by: Actor) -> Outcome:
    def refusal(delivery: Delivery) -> str:
        if may_write(person, delivery):
            return ""
        return f"needs the role {Role.OPERATOR} in {delivery.tenant}"

    return perform(deliveries, lambda one: redelivering.redeliver(one, by), refusal)


VERBS = {
    verb.name: verb
    for verb in (
        Verb(
            name="test", label="Send a test", done="sent a test",
            act=verbs.test, fits=lambda one: one.enabled, unfit="it is disabled",
        ),
        Verb(
            name="enable", label="Enable", done="enabled",
            act=verbs.enable, fits=lambda one: not one.enabled,
        ),
        Verb(
            name="disable", label="Disable", done="disabled",
            act=lambda one, by: verbs.change(one, {"enabled": False}, by),
            fits=lambda one: one.disabled_because != DisabledBecause.BY_HAND,
        ),
        Verb(
            name="delete", label="Delete", done="deleted", act=verbs.delete, in_list=False,
            fits=lambda one: True,
            warning="Nothing is sent to it from now on, and its secrets sign no more. Its "
            "deliveries stay in the log until their time is over.",
        ),
    )
}  # fmt: skip
