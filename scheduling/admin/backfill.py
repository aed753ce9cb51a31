"""Filling in runs of a past range: first what that would be, then doing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone

from jobs.admin.fields import UtcField
from jobs.exceptions import FieldErrors, JobsError
from jobs.operations import Actor
from scheduling.admin.telling import When, when
from scheduling.backfilling import Filled, backfill
from scheduling.models import Schedule
from scheduling.policies import Decision

_NAMED = 10  # moments that the question names
_FIELDS = {"from": "start", "to": "end"}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What there is to do: how many runs, the first of them, and how many ran before."""

    number: int
    named: Sequence[When | None]
    ran_before: int


class BackfillForm(forms.Form):
    start = UtcField(label="From", help_text="UTC.")
    end = UtcField(label="To", help_text="UTC; runs before it.")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in ("start", "end"):
            if name in cleaned and cleaned[name] is None:
                self.add_error(name, "Which moment?")
        return cleaned

    @property
    def looked_at(self) -> str:
        """The range of the fields; what is confirmed is the plan of one range."""
        start, end = self.cleaned_data["start"], self.cleaned_data["end"]
        return f"{start.isoformat()}/{end.isoformat()}"

    def run(self, schedule: Schedule, by: Actor, *, dry_run: bool) -> list[Filled] | None:
        """None where it was refused, and the form says why."""
        start, end = self.cleaned_data["start"], self.cleaned_data["end"]
        try:
            return backfill(schedule, start, end, by, dry_run=dry_run)
        except FieldErrors as error:
            for one in error.errors:
                self.add_error(_FIELDS.get(one.pointer.removeprefix("/")), one.detail)
        except JobsError as error:
            self.add_error(None, str(error))
        return None


def plan_of(found: Sequence[Filled], schedule: Schedule, now: datetime | None = None) -> Plan:
    wanted = [one.moment for one in found if not one.ran_before]
    clock = now or timezone.now()
    return Plan(
        number=len(wanted),
        named=[when(at, schedule.timezone, clock) for at in wanted[:_NAMED]],
        ran_before=len(found) - len(wanted),
    )


def sentence(found: Sequence[Filled]) -> str:
    """“3 runs filled in. 1 refused: the quota is used up.”"""
    outcomes = [one.outcome for one in found if one.outcome is not None]
    made = sum(one.decision is Decision.FIRED for one in outcomes)
    left = [one for one in outcomes if one.decision is not Decision.FIRED]
    told = f"{made} {'run' if made == 1 else 'runs'} filled in."
    if left:
        reasons = ", ".join(sorted({one.reason for one in left if one.reason}))
        told += f" {len(left)} left out: {reasons.rstrip('.')}."
    return told
