"""The platform's health in a sentence for operators."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from config.vitals.health import Condition, Health

_DOWN = {
    "redis": "Redis does not answer: live events and limits pause.",
    "broker": "The broker does not answer: jobs are taken in and wait.",
    "dispatcher": "No dispatcher leads: start manage.py dispatch.",
    "scheduler": "Beat shows no sign of life: recurring jobs do not start.",
}


@dataclass(frozen=True, kw_only=True)
class State:
    status: str
    reasons: Sequence[str]

    @classmethod
    def of(cls, health: Health) -> State:
        return cls(status=health.verdict.value, reasons=list(_reasons(health)))


def _reasons(health: Health) -> Iterator[str]:
    for part, reason in _DOWN.items():
        if getattr(health, part).condition == Condition.DOWN:
            yield reason
    for queue in health.queues:
        if queue.unknown_types:
            types = ", ".join(queue.unknown_types)
            yield f"Jobs wait in {queue.name} of types that no worker of it knows: {types}."
        elif queue.is_unattended:
            yield f"{queue.waiting.number:,} waiting in {queue.name}, which no worker consumes."
    if any(alert.degrades for alert in health.alerts):
        yield "Schedules are overdue: nobody fires them."
