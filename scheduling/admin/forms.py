"""The form of a schedule. The verbs judge what it gives, and their errors stand at its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django import forms
from django.db import transaction

from accounts.models import Tenant
from jobs import registry
from jobs.admin.fields import LinedField, UtcField
from jobs.admin.judged import SEEN, JudgedForm, SeenField, seen
from jobs.exceptions import JobsError
from jobs.models import Queue
from jobs.operations import Actor
from jobs.secret import masked
from jobs.webhook_url import Judge
from scheduling import verbs
from scheduling.admin.fields import (
    LabelsField,
    PayloadField,
    PriorityField,
)
from scheduling.cron import DstPolicy
from scheduling.definition import Definition, definition_of
from scheduling.models import Calendar, Schedule
from scheduling.policies import Misfire, Overlap

OVERLAPS = [
    (Overlap.ALLOW.value, "Start another beside it"),
    (Overlap.SKIP.value, "Leave the new run out"),
    (Overlap.REPLACE.value, "Cancel the one that runs, and start the new one after it"),
]
MISFIRES = [
    (Misfire.RUN_ONCE.value, "Run once, for the last of them"),
    (Misfire.SKIP.value, "Leave them all out"),
    (Misfire.RUN_ALL.value, "Run them all, up to the limit"),
]
DST_POLICIES = [
    (DstPolicy.ONCE.value, "Run once on each day, whatever the clocks do"),
    (DstPolicy.SKIP.value, "Leave out times that the clocks leap over"),
    (DstPolicy.ALL.value, "Also run twice, at times that they show twice"),
]


class RuleForm(JudgedForm):
    """When it runs: what a preview needs."""

    lists = frozenset({"calendar_ids"})

    cron_expression = forms.CharField(
        label="Rule",
        max_length=256,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "class": "cel-code"}
        ),
        help_text="Minute, hour, day, month, weekday: “30 7 * * 1-5”. Or @hourly, @daily, "
        "@every 90m.",
    )
    timezone = forms.CharField(
        label="Time zone",
        initial="UTC",
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
    )
    starts_at = UtcField(label="Not before", help_text="UTC; empty: from now on.")
    ends_at = UtcField(label="Not after", help_text="UTC; empty: for ever.")
    dst_policy = forms.ChoiceField(
        label="When the clocks change",
        choices=DST_POLICIES,
        initial=DstPolicy.ONCE.value,
        widget=forms.RadioSelect,
    )
    calendar_ids = forms.TypedMultipleChoiceField(
        label="Not on days of",
        required=False,
        coerce=UUID,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(
        self,
        data: Any = None,
        *,
        tenant: Tenant,
        owner: str = "",
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        offered = Calendar.objects.filter(tenant=tenant, owner__in={"", owner}).order_by("name")
        choices = [(str(pk), name) for pk, name in offered.values_list("pk", "name")]
        self.field("calendar_ids").choices = choices

    def given(self) -> dict[str, Any]:
        """As `Definition` takes it."""
        values = dict(self.cleaned_data)
        values["calendar_ids"] = tuple(values["calendar_ids"])
        return values


class ScheduleForm(RuleForm):
    seen = SeenField()
    name = forms.CharField(max_length=255, strip=False)
    description = LinedField(rows=2)
    enabled = forms.BooleanField(label="Switched on", required=False, initial=True)
    type = forms.ChoiceField(label="Job type")
    payload = PayloadField(help_text="A JSON object. A secret shown as *** stays as it is.")
    queue = forms.ChoiceField(required=False)
    priority = PriorityField(
        required=False, help_text="0 to 100, or urgent, high, normal, low; empty: the plan's."
    )
    max_retries = forms.IntegerField(
        label="Retries", required=False, min_value=0, help_text="Empty: the type's."
    )
    timeout_seconds = forms.IntegerField(
        label="Time limit", required=False, min_value=0, help_text="Seconds; empty: the type's."
    )
    labels = LabelsField(rows=2, placeholder="course: 7", help_text="name: value, one a line.")
    webhook_url = forms.CharField(
        label="Webhook",
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="A URL that is told when a job of it completes or fails.",
    )
    owner = forms.CharField(required=False, help_text="Whose it is, within the tenant.")
    overlap = forms.ChoiceField(
        label="While a job of it has not ended",
        choices=OVERLAPS, initial=Overlap.ALLOW.value, widget=forms.RadioSelect,
    )  # fmt: skip
    misfire = forms.ChoiceField(
        label="Runs whose time nobody was there for",
        choices=MISFIRES, initial=Misfire.RUN_ONCE.value, widget=forms.RadioSelect,
    )  # fmt: skip
    misfire_limit = forms.IntegerField(
        label="Limit", initial=100, min_value=1, help_text="The last so many of them."
    )
    jitter_seconds = forms.IntegerField(
        label="Spread over",
        initial=0,
        min_value=0,
        help_text="Seconds: each run starts at a moment of its own within them.",
    )

    def __init__(self, data: Any = None, *, tenant: Tenant, schedule: Schedule | None = None):
        self.tenant, self.schedule = tenant, schedule
        initial = _initial(schedule) if schedule else {}
        owner = schedule.owner if schedule else ""
        super().__init__(data, tenant=tenant, owner=owner, initial=initial)
        names = [kind.name for kind in registry.public()]
        self.field("type").choices = _choices(names, initial.get("type", ""))
        queues = list(
            Queue.objects.filter(internal=False).order_by("pk").values_list("pk", flat=True)
        )
        chosen = _choices(queues, initial.get("queue") or "")
        self.field("queue").choices = [("", "its type's"), *chosen]

    def save(self, by: Actor) -> Schedule | None:
        """The schedule, made or changed; None where it was refused, and the fields say why. Raises
        Schedule.DoesNotExist where it was removed meanwhile."""
        given = self.given()
        try:
            if self.schedule is None:
                return verbs.create(self.tenant, Definition(**given), by)
            changes = {name: given[name] for name in self.changed_data if name != SEEN}
            return self._change(self.schedule, changes, by)
        except JobsError as error:
            self.refuse(error)
        return None

    def given(self) -> dict[str, Any]:
        values = super().given() | {"queue": self.cleaned_data["queue"] or None}
        values["webhook_url"] = Judge()(values["webhook_url"])
        del values[SEEN]
        return values

    @transaction.atomic
    def _change(self, schedule: Schedule, changes: Mapping[str, Any], by: Actor) -> Schedule:
        self.require_as_seen(verbs.locked(schedule).updated_at)
        return verbs.change(schedule, changes, by)


def zones() -> Sequence[str]:
    """To choose from."""
    return sorted(name for name in available_timezones() if "/" in name or name == "UTC")


def _initial(schedule: Schedule) -> Mapping[str, Any]:
    given = definition_of(schedule)
    values = {name: getattr(given, name) for name in Definition.__dataclass_fields__}
    values["calendar_ids"] = [str(one) for one in given.calendar_ids]
    told = {"payload": masked(given.payload), "queue": given.queue or ""}
    return {**values, **told, SEEN: seen(schedule.updated_at)}


def _choices(names: Sequence[str], chosen: str) -> list[tuple[str, str]]:
    """With the one that is chosen, though it may no longer be there."""
    every = sorted({*names, chosen} - {""})
    return [(name, name) for name in every]
