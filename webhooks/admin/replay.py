"""Sending again what an endpoint was to be told in a span of time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from accounts.ids import moment_of
from jobs.admin.fields import UtcField
from jobs.admin.judged import JudgedForm
from jobs.exceptions import JobsError
from jobs.operations import Actor
from webhooks import redelivering
from webhooks.models import Endpoint
from webhooks.redelivering import Replayed

_FAILED, _ALL = "failed", "all"
_BACK = timedelta(days=1)


class ReplayForm(JudgedForm):
    since = UtcField(label="Since", required=True, help_text="UTC.")
    until = UtcField(label="Until", help_text="UTC; empty: now.")
    which = forms.ChoiceField(
        label="Which",
        choices=[(_FAILED, "What failed or was missed"), (_ALL, "All of it, also what arrived")],
        initial=_FAILED,
        widget=forms.RadioSelect,
    )

    def __init__(self, data: Any = None, *, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        since = endpoint.failing_since or timezone.now() - _BACK
        super().__init__(data, initial={"since": since})

    def send(self, by: Actor) -> Replayed | None:
        """What came of it; None where it was refused, and the form says why."""
        given = self.cleaned_data
        try:
            return redelivering.replay_on(
                self.endpoint, by, since=given["since"], until=given["until"],
                failed_only=given["which"] == _FAILED,
            )  # fmt: skip
        except JobsError as error:
            self.refuse(error)
        return None


def sentence(found: Replayed) -> str:
    if not found.deliveries:
        return "There is nothing to send again."
    number = f"{found.deliveries:,} deliver{'y is' if found.deliveries == 1 else 'ies are'}"
    return f"{number} sent again.{_more(found)}"


def _more(found: Replayed) -> str:
    if found.next is None:
        return ""
    reached = moment_of(found.next).strftime("%Y-%m-%d %H:%M:%S")
    return f" There are more: ask again for what was to be told since {reached}."
