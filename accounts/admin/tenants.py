"""Tenants: every member sees his own; platform admins make and change them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from accounts import tenants
from accounts.admin.base import ScopedAdmin, address_of
from accounts.admin.display import ago
from accounts.models import Tenant
from accounts.staff import staff_of


class TenantForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        try:
            tenants.check_limits(cleaned)
        except ValidationError as error:
            self.add_error(None, error)
        return cleaned


@admin.register(Tenant)
class TenantAdmin(ScopedAdmin):
    form = TenantForm
    tenant_path = "pk"
    audited_as = "tenant"
    audited_by = "slug"
    list_display = ("slug", "name", "plan_name", "members", "created")
    search_fields = ("slug", "name")
    search_help_text = "Slug or name"
    ordering = ("slug",)
    fields = ("slug", "name", "plan_name", *tenants.LIMITS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        rows: QuerySet[Tenant] = super().get_queryset(request)
        return rows.annotate(member_count=Count("memberships"))

    @admin.display(description="members", ordering="member_count")
    def members(self, tenant: Any) -> int:
        return int(tenant.member_count)

    @admin.display(description="created", ordering="created_at")
    def created(self, tenant: Tenant) -> str:
        return ago(tenant.created_at)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return staff_of(request).everywhere

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return staff_of(request).everywhere

    def get_readonly_fields(
        self, request: HttpRequest, obj: Model | None = None
    ) -> tuple[str, ...]:
        """The slug names the tenant in requests and stays."""
        return ("slug", "created") if obj else ()

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return (*self.fields, "created") if obj else self.fields

    def save_model(
        self, request: HttpRequest, obj: Tenant, form: ModelForm[Tenant], change: bool
    ) -> None:
        by, address = staff_of(request).actor, address_of(request)
        limits = {field: getattr(obj, field) for field in tenants.LIMITS}
        told: dict[str, Any] = {"name": obj.name, "plan_name": obj.plan_name, "limits": limits}
        if change:
            tenants.change(obj, **told, by=by, address=address)
        else:
            obj.pk = tenants.create(slug=obj.slug, **told, by=by, address=address).pk
