"""The audit trail, to read: newest first, as fast with a million entries as with ten."""

from __future__ import annotations

import json
from collections.abc import Mapping
from textwrap import shorten
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold import paginator

from accounts.admin.audit_filters import ActionFilter, SinceFilter
from accounts.admin.base import ScopedAdmin
from accounts.admin.display import NONE, ago, mono, short
from accounts.admin.tenant_filter import TenantFilter
from accounts.models import AuditEntry
from accounts.roles import Role

_PAGE = 50
_PAGES = 200
_TOLD = 120
_ACTORS = ("user:", "token:", "command:")
_NAMELESS = ("anonymous", "system")


class InfinitePaginator(paginator.InfinitePaginator):  # type: ignore[misc]  # unfold has no types
    """Nothing is counted, and nobody leafs past the last page: whoever looks further back narrows
    by time. (The name is what unfold's templates ask for.)"""

    count = _PAGE * _PAGES


@admin.register(AuditEntry)
class AuditAdmin(ScopedAdmin):
    """Entries of the platform itself are platform admins' to see. No column sorts: the newest
    first is what an index gives, for each filter."""

    view_role = Role.ADMIN
    list_display = ("when", "who", "what", "which_shortly", "whose", "told")
    list_filter = (ActionFilter, TenantFilter, SinceFilter)
    list_select_related = ("tenant",)
    list_per_page = _PAGE
    list_max_show_all = 0
    list_display_links = ("when",)
    show_full_result_count = False
    paginator = InfinitePaginator
    ordering = ("-id",)
    search_fields = ("object_id",)
    search_help_text = "user:NAME, token:NAME or command:NAME; or the exact id of an object"
    fields = ("when", "who", "what", "which", "whose", "address", "changes")

    class Media:
        css = {"all": ["accounts/access.css"]}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.object_view)
        own = path("<uuid:entry_id>/object/", view, name="accounts_auditentry_object")
        urls: list[URLPattern] = super().get_urls()
        return [own, *urls]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Exactly: a part of an id or a name is in no index."""
        term = search_term.strip()
        if term.startswith(_ACTORS) or term in _NAMELESS:
            return queryset.filter(actor=term), False
        return (queryset.filter(object_id=term) if term else queryset), False

    @admin.display(description="when")
    def when(self, entry: AuditEntry) -> str:
        return ago(entry.at)

    @admin.display(description="who")
    def who(self, entry: AuditEntry) -> str:
        return entry.actor

    @admin.display(description="what")
    def what(self, entry: AuditEntry) -> str:
        return entry.action

    @admin.display(description="object")
    def which(self, entry: AuditEntry) -> str:
        return self._linked(entry, mono(entry.object_id))

    @admin.display(description="object")
    def which_shortly(self, entry: AuditEntry) -> str:
        return self._linked(entry, short(entry.object_id))

    def _linked(self, entry: AuditEntry, shown: SafeString) -> str:
        if self._page_of(entry):
            address = reverse("admin:accounts_auditentry_object", args=[entry.pk])
            shown = format_html('<a href="{}" class="cel-link">{}</a>', address, shown)
        return format_html("{} {}", entry.object_type, shown)

    @admin.display(description="tenant")
    def whose(self, entry: AuditEntry) -> str:
        return entry.tenant.slug if entry.tenant else "platform"

    @admin.display(description="changed")
    def told(self, entry: AuditEntry) -> str:
        rows = _changes(entry)
        parts = [f"{field}: {after if before == NONE else f'{before} → {after}'}"
                 for field, before, after in rows]  # fmt: skip
        return shorten("; ".join(parts), _TOLD, placeholder=" …") or NONE

    @admin.display(description="changed")
    def changes(self, entry: AuditEntry) -> SafeString:
        return render_to_string(
            "admin/accounts/auditentry/changes.html", {"changes": _changes(entry)}
        )

    def _page_of(self, entry: AuditEntry) -> ScopedAdmin | None:
        """Where the admin shows such objects. It checks by itself who may look."""
        for page in self.admin_site._registry.values():
            if isinstance(page, ScopedAdmin) and page.audited_as == entry.object_type:
                return page
        return None

    def object_view(self, request: HttpRequest, entry_id: UUID) -> HttpResponse:
        """To the page of what the entry is about; where that is no more, to what was done to it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        entry = get_object_or_404(self.get_queryset(request), pk=entry_id)
        page = self._page_of(entry)
        address = page and _address(page, entry.object_id, request)
        if not address:
            messages.info(request, f"There is no such {entry.object_type} to show any more.")
            trail = reverse("admin:accounts_auditentry_changelist")
            address = f"{trail}?{urlencode({'q': entry.object_id})}"
        return HttpResponseRedirect(address)


def _address(page: ScopedAdmin, object_id: str, request: HttpRequest) -> str | None:
    name = f"admin:{page.opts.app_label}_{page.opts.model_name}"
    if page.audited_by != "pk":
        return f"{reverse(f'{name}_changelist')}?{urlencode({'q': object_id})}"
    try:
        is_there = page.get_queryset(request).filter(pk=object_id).exists()
    except (ValueError, ValidationError):
        return None
    return reverse(f"{name}_change", args=[object_id]) if is_there else None


def _changes(entry: AuditEntry) -> list[tuple[str, str, str]]:
    """Field, before, after; of what differs."""
    before, after = entry.before or {}, entry.after or {}
    fields = list(dict.fromkeys([*before, *after]))
    return [
        (field, _side(before, field), _side(after, field))
        for field in fields
        if before.get(field) != after.get(field)
    ]


def _side(side: Mapping[str, Any], field: str) -> str:
    value = side.get(field)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if value is None or value == "":
        return NONE
    return value if isinstance(value, str) else json.dumps(value)
