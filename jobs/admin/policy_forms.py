"""The forms that pause and limit. What a form cannot read is refused as the engine refuses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.models import DEFAULT_TENANT, Tenant
from jobs.exceptions import FieldError, InvalidPolicy
from jobs.models import Pause, Queue
from jobs.policies import limiting, pausing
from jobs.policies.pausing import LONGEST_REASON


class Terms(NamedTuple):
    reason: str
    until: datetime | None


def _reason() -> forms.CharField:
    return forms.CharField(
        required=False, max_length=LONGEST_REASON, widget=UnfoldAdminTextInputWidget
    )


def _until() -> forms.DateTimeField:
    return forms.DateTimeField(
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "2026-01-31 12:00"}),
        help_text="UTC; empty: until somebody resumes it.",
    )


class PauseTermsForm(forms.Form):
    reason = _reason()
    until = _until()

    @classmethod
    def given(cls, data: Mapping[str, Any]) -> Terms:
        """Raises InvalidPolicy."""
        cleaned = _cleaned(cls(data))
        return Terms(reason=cleaned["reason"], until=cleaned["until"])


class LimitsForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        model = Queue
        fields = limiting.LIMITS
        widgets = {
            "max_concurrency": UnfoldAdminIntegerFieldWidget,
            "rate_limit": UnfoldAdminTextInputWidget,
            "weight": UnfoldAdminIntegerFieldWidget,
        }

    @classmethod
    def given(cls, data: Mapping[str, Any], queue: Queue) -> dict[str, Any]:
        """Raises InvalidPolicy."""
        return _cleaned(cls(data, instance=queue))


class NewPauseForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A pause of anything. A key needs its tenant; whose a tenant's pause is, is clear."""

    target = forms.CharField(
        widget=UnfoldAdminTextInputWidget,
        help_text="The queue, the type, the tenant's slug, or the key.",
    )
    tenant = forms.ModelChoiceField(
        Tenant.objects.order_by("slug"),
        required=False,
        widget=UnfoldAdminSelectWidget,
        to_field_name="slug",
        initial=DEFAULT_TENANT,
        help_text="Whose key it is; for a key only.",
    )
    reason = _reason()
    until = _until()

    class Meta:
        model = Pause
        fields = ("kind", "target", "tenant", "reason", "until")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("kind") == "key" and cleaned.get("tenant") is None:
            self.add_error("tenant", "Whose key?")
        if not self.errors:
            self._check(cleaned)
        return cleaned

    def _check(self, cleaned: dict[str, Any]) -> None:
        try:
            pausing.check(cleaned["kind"], cleaned["target"], cleaned["reason"], cleaned["until"])
        except InvalidPolicy as error:
            for one in error.errors:
                self.add_error(one.pointer.removeprefix("/"), one.detail)

    def _post_clean(self) -> None:
        """The row is made by the verb, which decides whose it is."""


def in_words(error: InvalidPolicy) -> str:
    return "; ".join(f"{one.pointer.removeprefix('/')}: {one.detail}" for one in error.errors)


def _cleaned(form: forms.BaseForm) -> dict[str, Any]:
    if not form.is_valid():
        raise InvalidPolicy(
            [
                FieldError(f"/{field}", " ".join(map(str, told)))
                for field, told in form.errors.items()
            ]
        )
    return dict(form.cleaned_data)
