"""The page where people sign in: who guesses too often has to wait."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.forms import AuthenticationForm

from accounts.address import address_of
from accounts.signing_in import Pause, pause

TOO_MANY = 429


class SignInForm(AuthenticationForm):  # type: ignore[misc]  # unfold has no types
    """Nothing is tried, not even the right password, while its caller must wait."""

    pause: Pause | None = None

    def clean(self) -> dict[str, Any]:
        name = self.cleaned_data.get("username", "")
        self.pause = pause(name, address_of(self.request))
        if self.pause:
            raise forms.ValidationError(str(self.pause))
        cleaned: dict[str, Any] = super().clean()
        return cleaned


def sign_in(request: HttpRequest) -> HttpResponse:
    """The admin's page, with the status that says why."""
    answer: Any = admin.site.login(request)
    form = (getattr(answer, "context_data", None) or {}).get("form")
    if isinstance(form, SignInForm) and form.pause:
        answer.status_code = TOO_MANY
        answer["Retry-After"] = form.pause.retry_after
    response: HttpResponse = answer
    return response


admin.site.login_form = SignInForm
