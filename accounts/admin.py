"""Accounts in the Django admin, to look at: changes go by the verbs that write an audit entry."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from accounts.models import ApiToken, AuditEntry, Tenant


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django does not subscript it at run time
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Tenant)
class TenantAdmin(ReadOnlyAdmin):
    list_display = ["slug", "name", "plan_name", "created_at"]
    search_fields = ["slug", "name"]


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    list_display = ["name", "tenant", "scopes", "owner", "expires_at", "revoked_at", "last_used_at"]
    search_fields = ["name", "owner"]
    list_filter = ["tenant"]


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["at", "actor", "action", "object_type", "object_id", "tenant", "address"]
    search_fields = ["actor", "object_id"]
    list_filter = ["action", "object_type"]
