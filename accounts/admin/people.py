"""People who sign in, for platform admins. Roles in a tenant are given on the page of members."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import admin as auth_admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser, Group
from django.db import transaction
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts import people
from accounts.admin.base import PlatformOnly, ScopedAdmin, address_of
from accounts.admin.display import ago
from accounts.staff import staff_of


class PersonAdmin(PlatformOnly, ScopedAdmin, auth_admin.UserAdmin):  # type: ignore[misc, type-arg]
    """Django's page of users, without what roles replace (groups, permissions of models), and
    without removing: who may come in no more is set inactive."""

    tenant_path = None
    audited_as = "person"
    audited_by = "username"
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    add_form_template = None
    list_display = ("username", "full_name", "email", "is_superuser", "is_active", "signed_in")
    list_filter = ("is_superuser", "is_active", "is_staff")
    ordering = ("username",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    add_fieldsets = ((None, {"fields": ("username", "usable_password", "password1", "password2")}),)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Who", {"fields": ("first_name", "last_name", "email")}),
        (
            "May",
            {
                "fields": ("is_active", "is_staff", "is_superuser"),
                "description": "A superuser is a platform admin and reaches every tenant. "
                "Anybody else needs to be staff, and a member of a tenant.",
            },
        ),
        ("When", {"fields": ("last_login", "date_joined")}),
    )

    @admin.display(description="name")
    def full_name(self, user: AbstractUser) -> str:
        return user.get_full_name()

    @admin.display(description="last signed in", ordering="last_login")
    def signed_in(self, user: AbstractUser) -> str:
        return ago(user.last_login, "never")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: AbstractUser, form: ModelForm[Any], change: bool
    ) -> None:
        people.save(obj, by=staff_of(request).actor, address=address_of(request))

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        with transaction.atomic():
            answer: HttpResponse = super().user_change_password(request, id, form_url)
            if request.method == "POST" and answer.status_code == 302:
                user: Any = self.get_object(request, id)
                people.password_set(user, by=staff_of(request).actor, address=address_of(request))
        return answer

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return "password" not in lookup and super().lookup_allowed(lookup, value, request)


def register() -> None:
    """The user model, where it is one of Django's kind; another kind is its project's to show.
    Groups are not shown: roles replace them."""
    user_model = get_user_model()
    if admin.site.is_registered(Group):
        admin.site.unregister(Group)
    if issubclass(user_model, AbstractUser) and user_model.USERNAME_FIELD == "username":
        if admin.site.is_registered(user_model):
            admin.site.unregister(user_model)
        admin.site.register(user_model, PersonAdmin)


register()
