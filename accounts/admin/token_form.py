"""The form that makes a token, and what it refuses."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.forms import ModelForm
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.models import DEFAULT_TENANT, ApiToken
from accounts.scopes import Scope, expand
from accounts.staff import Staff

WORDS = {
    Scope.JOBS_READ: "see jobs",
    Scope.JOBS_WRITE: "hand in jobs and act on them",
    Scope.SCHEDULES_READ: "see schedules",
    Scope.SCHEDULES_WRITE: "make and change schedules",
    Scope.WEBHOOKS_READ: "see webhooks",
    Scope.WEBHOOKS_WRITE: "make and change webhooks",
    Scope.QUEUES_READ: "see queues",
    Scope.WORKERS_READ: "see workers",
    Scope.AUDIT_READ: "read the audit trail",
    Scope.ADMIN: "everything in the tenant",
}
_DAYS = {"30": "30 days", "90": "90 days", "365": "a year", "": "for ever"}


class NewTokenForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """What the maker may not do himself, no token of his may do."""

    by: ClassVar[Staff]
    scopes = forms.MultipleChoiceField(
        label="May",
        choices=[(scope.value, f"{scope.value}: {words}") for scope, words in WORDS.items()],
        initial=[Scope.JOBS_READ.value, Scope.JOBS_WRITE.value],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    owner = forms.CharField(
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text="If given, it sees and makes only this owner's jobs.",
    )
    valid = forms.ChoiceField(
        label="Valid",
        required=False,
        choices=list(_DAYS.items()),
        initial="90",
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tenant: Any = self.fields["tenant"]
        tenant.required = not self.by.everywhere
        tenant.empty_label = "The whole platform" if self.by.everywhere else None
        tenant.initial = tenant.queryset.filter(slug=DEFAULT_TENANT).first()

    @property
    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["valid"]
        return timezone.now() + timedelta(days=int(days)) if days else None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            self._check_reach(cleaned)
            self._check_name(cleaned)
        return cleaned

    def _check_reach(self, cleaned: dict[str, Any]) -> None:
        tenant, scopes = cleaned["tenant"], cleaned["scopes"]
        if tenant is None and set(scopes) != {Scope.ADMIN.value}:
            self.add_error("scopes", "A token for the whole platform may everything: admin alone.")
        if tenant is None and cleaned["owner"]:
            self.add_error("owner", "A token for the whole platform has no owner.")
        if tenant is not None and not expand(scopes) <= self.by.scopes(tenant.pk):
            self.add_error("scopes", "That is more than you may do in this tenant.")

    def _check_name(self, cleaned: dict[str, Any]) -> None:
        working = ApiToken.objects.filter(revoked_at=None, tenant=cleaned["tenant"])
        if working.filter(name=cleaned["name"]).exists():
            self.add_error("name", "A token of this name is in use.")
