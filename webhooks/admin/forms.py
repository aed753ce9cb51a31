"""The form of an endpoint. The verbs judge what it gives, and their errors stand at its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.db import transaction
from django.http import QueryDict

from accounts.models import Tenant
from jobs import registry
from jobs.admin.fields import LinedField
from jobs.admin.judged import SEEN, JudgedForm, SeenField, seen
from jobs.exceptions import JobsError
from jobs.models import Queue
from jobs.operations import Actor
from webhooks import listening, verbs
from webhooks.admin import header_rows
from webhooks.admin.fields import SecondsField, WaitsField
from webhooks.definition import Definition, looked_at
from webhooks.models import Endpoint
from webhooks.policies import EventName
from webhooks.verbs import WithSecret

AS_CONFIGURED, BACKOFF, SCHEDULE = "", "backoff", "schedule"
RETRIES = [
    (AS_CONFIGURED, "As configured for all endpoints"),
    (BACKOFF, "So many attempts, each wait twice as long as the one before"),
    (SCHEDULE, "After waits of my own"),
]
_BACKOFF = ("max_attempts", "backoff_seconds", "max_seconds")
_LISTS = ("events", "types", "queues")
_WRONG_HEADERS = "Some headers cannot be taken as they are."


def _boxes(label: str, help_text: str) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label, required=False, widget=forms.CheckboxSelectMultiple, help_text=help_text
    )


class EndpointForm(JudgedForm):
    """`headers` are its rows of headers."""

    lists = frozenset(_LISTS)

    seen = SeenField()
    url = forms.CharField(
        label="URL",
        required=False,
        widget=forms.TextInput(
            attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text="Each event is sent there as a POST request.",
    )
    description = LinedField(rows=2)
    enabled = forms.BooleanField(label="Switched on", required=False, initial=True)
    events = _boxes("Events", "None chosen: all of them.")
    types = _boxes("Types of jobs", "None chosen: jobs of all types.")
    queues = _boxes("Queues", "None chosen: jobs from all queues.")
    timeout_seconds = forms.IntegerField(label="Time for an answer", required=False)
    retry = forms.ChoiceField(
        label="If it fails", required=False, choices=RETRIES, widget=forms.RadioSelect
    )
    max_attempts = forms.IntegerField(label="Attempts", required=False)
    backoff_seconds = SecondsField(label="First wait", help_text="Seconds.")
    max_seconds = SecondsField(label="Longest wait", help_text="Seconds.")
    schedule = WaitsField(
        label="Waits", required=False, help_text="Seconds after each attempt: 10, 60, 600."
    )

    def __init__(
        self, data: QueryDict | None = None, *, tenant: Tenant, endpoint: Endpoint | None = None
    ) -> None:
        self.tenant, self.endpoint = tenant, endpoint
        super().__init__(data, initial=_initial(endpoint) if endpoint else None)
        if endpoint is not None:
            del self.fields["enabled"]  # it is switched by verbs, on its page
        self._offer(endpoint)
        longest, usual = settings.WEBHOOK_TIMEOUT_LONGEST, settings.WEBHOOK_TIMEOUT_SECONDS
        told = f"Seconds, 1 to {longest}; empty: {usual:g}, as configured."
        self.field("timeout_seconds").help_text = told
        stored = header_rows.stored_rows(endpoint.headers if endpoint else {})
        self.headers = stored if data is None else header_rows.posted_rows(data)

    def _offer(self, endpoint: Endpoint | None) -> None:
        named = {
            "types": [kind.name for kind in registry.public()],
            "queues": Queue.objects.filter(internal=False).values_list("name", flat=True),
        }
        self.field("events").choices = EventName.choices
        for name, known in named.items():
            every = sorted({*known, *getattr(endpoint, name, ())})
            self.field(name).choices = [(one, one) for one in every]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if header_rows.mistakes(self.headers):
            self.add_error(None, _WRONG_HEADERS)
        return cleaned

    def create(self, by: Actor) -> WithSecret | None:
        """The new endpoint; None where it was refused, and the fields say why."""
        try:
            given = Definition(**self._given(), enabled=self.cleaned_data["enabled"])
            return verbs.create(self.tenant, given, by)
        except JobsError as error:
            self.refuse(error)
        return None

    def change(self, endpoint: Endpoint, by: Actor) -> Endpoint | None:
        """The same for one that is there. Raises Endpoint.DoesNotExist where it was deleted."""
        before, given = verbs.definition_of(endpoint), self._given()
        changes = {name: value for name, value in given.items() if value != before[name]}
        try:
            return self._change(endpoint, changes, by)
        except JobsError as error:
            self.refuse(error)
        return None

    @transaction.atomic
    def _change(self, endpoint: Endpoint, changes: Mapping[str, Any], by: Actor) -> Endpoint:
        listening.lock(endpoint.tenant_id)
        now = Endpoint.objects.shown().values_list("updated_at", flat=True).get(pk=endpoint.pk)
        self.require_as_seen(now)
        return verbs.change(endpoint, changes, by)

    def _given(self) -> dict[str, Any]:
        """As `Definition` takes it; the URL is looked at before anything is locked."""
        values = self.cleaned_data
        return {
            "url": looked_at(values["url"]),
            "description": values["description"],
            **{name: sorted(values[name]) for name in _LISTS},
            "headers": {row.name: row.value for row in self.headers},
            "timeout_seconds": values["timeout_seconds"],
            "retry": self._retry(),
        }

    def _retry(self) -> dict[str, Any] | None:
        values = self.cleaned_data
        if values["retry"] == SCHEDULE:
            return {"schedule": values["schedule"]}
        if values["retry"] == BACKOFF:
            given = {name: values[name] for name in _BACKOFF if values[name] is not None}
            return given or None
        return None

    def add_told(self, pointer: str, detail: str) -> None:
        if header_rows.note(self.headers, pointer, detail):
            if _WRONG_HEADERS not in self.non_field_errors():
                self.add_error(None, _WRONG_HEADERS)
            return
        start, _, rest = pointer.removeprefix("/").partition("/")
        inner = rest.partition("/")[0]
        super().add_told(f"/{inner}" if start == "retry" and inner else pointer, detail)


def _initial(endpoint: Endpoint) -> dict[str, Any]:
    retry = endpoint.retry or {}
    kind = SCHEDULE if "schedule" in retry else BACKOFF if retry else AS_CONFIGURED
    values: dict[str, Any] = {
        name: getattr(endpoint, name) for name in ("url", "description", "timeout_seconds", *_LISTS)
    }
    told = {"retry": kind, "schedule": _waits(retry.get("schedule", ()))}
    own = {name: retry.get(name) for name in _BACKOFF}
    return {**values, **told, **own, SEEN: seen(endpoint.updated_at)}


def _waits(waits: Sequence[float]) -> str:
    return ", ".join(map(str, waits))
