"""Members: a tenant's admins say who belongs to it, and as what."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts import members, people
from accounts.admin.base import ScopedAdmin, address_of
from accounts.admin.display import ago
from accounts.admin.tenant_filter import TenantFilter
from accounts.models import Membership
from accounts.roles import Role
from accounts.staff import Staff, staff_of


class NewMemberForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A person is named, never chosen: nobody learns here who else has an account."""

    by: ClassVar[Staff]
    person = forms.CharField(
        max_length=254,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="The exact user name. A platform admin makes accounts.",
    )

    def clean_person(self) -> Any:
        manager = get_user_model()._default_manager
        named = {get_user_model().USERNAME_FIELD: self.cleaned_data["person"]}
        user = manager.filter(**named).first()
        if user is None or not (self.by.everywhere or _is_for_tenants(user)):
            raise forms.ValidationError(
                "No such person can be added. A platform admin makes accounts."
            )
        return user

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        person, tenant = cleaned.get("person"), cleaned.get("tenant")
        if person and tenant and Membership.objects.filter(user=person, tenant=tenant).exists():
            self.add_error("person", "Is a member already: change the role there.")
        return cleaned


@admin.register(Membership)
class MemberAdmin(ScopedAdmin):
    view_role = add_role = change_role = delete_role = Role.ADMIN
    audited_as = "member"
    audited_by = "user__username"
    list_display = ("user", "tenant", "role", "since")
    list_filter = (TenantFilter, "role")
    list_select_related = ("user", "tenant")
    search_help_text = "User name"
    ordering = ("tenant__slug", "pk")

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return (f"user__{get_user_model().USERNAME_FIELD}",)

    @admin.display(description="since", ordering="created_at")
    def since(self, member: Membership) -> str:
        return ago(member.created_at)

    def audited_name(self, row: Model) -> str:
        assert isinstance(row, Membership)
        return row.user.get_username()

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("user", "tenant", "role", "since") if obj else ("person", "tenant", "role")

    def get_readonly_fields(
        self, request: HttpRequest, obj: Model | None = None
    ) -> tuple[str, ...]:
        return ("user", "tenant", "since") if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_change_permission(request, obj) and _within_reach(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _within_reach(request, obj)

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm[Membership]]:
        if change:
            form: type[ModelForm[Membership]] = super().get_form(request, obj, change, **kwargs)
            return form
        made = super().get_form(request, obj, change, **{**kwargs, "form": NewMemberForm})
        return type(made.__name__, (made,), {"by": staff_of(request)})

    def save_model(
        self, request: HttpRequest, obj: Membership, form: ModelForm[Membership], change: bool
    ) -> None:
        person = staff_of(request)
        by, address = person.actor, address_of(request)
        user = obj.user if change else form.cleaned_data["person"]
        if person.everywhere and not change:
            people.let_in(user, by=by, address=address)
        stored = members.put(
            user, obj.tenant, Role(obj.role), by=by, address=address, last_too=person.everywhere
        )
        obj.pk, obj.user = stored.pk, user

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        person = staff_of(request)
        members.remove(
            obj, by=person.actor, address=address_of(request), last_too=person.everywhere
        )


def _is_for_tenants(user: Any) -> bool:
    """Who may sign in at all, and as whom everywhere, is decided by platform admins."""
    return bool(user.is_staff and not user.is_superuser)


def _within_reach(request: HttpRequest, member: Any) -> bool:
    """What a platform admin is in a tenant, other platform admins decide."""
    return member is None or not member.user.is_superuser or staff_of(request).everywhere
