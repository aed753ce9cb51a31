"""The page where people change their own password: with an audit entry, and slow to guess at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from unfold.forms import AdminOwnPasswordChangeForm

from accounts import people
from accounts.address import address_of
from accounts.admin.sign_in import TOO_MANY
from accounts.signing_in import Pause, note_wrong_old_password, pause
from accounts.staff import staff_of


class OwnPassword(PasswordChangeView):
    """Nothing is tried, not even the right old password, while its caller must wait."""

    form_class = AdminOwnPasswordChangeForm
    success_url = reverse_lazy("admin:password_change_done")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), **admin.site.each_context(self.request)}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        wait = pause(staff_of(request).username, address_of(request))
        return super().post(request, *args, **kwargs) if wait is None else self._told(wait)

    def form_valid(self, form: Any) -> HttpResponse:
        request = self.request
        with transaction.atomic():
            answer = super().form_valid(form)
            by = staff_of(request).actor
            people.password_set(form.user, by=by, address=address_of(request))
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        if form.has_error("old_password", code="password_incorrect"):
            note_wrong_old_password(self.request)
        return super().form_invalid(form)

    def _told(self, wait: Pause) -> HttpResponse:
        messages.error(self.request, str(wait))
        empty = self.get_context_data(form=self.form_class(self.request.user))
        again = {"Retry-After": wait.retry_after}
        return self.render_to_response(empty, status=TOO_MANY, headers=again)


own_password = admin.site.admin_view(OwnPassword.as_view(), cacheable=True)
