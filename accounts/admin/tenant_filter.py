"""A filter by tenant that offers the tenants this person may see."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin.base import ScopedAdmin
from accounts.models import Tenant
from accounts.staff import staff_of

_OFFERED = 100
_PLATFORM = "-"  # no slug


class TenantFilter(SimpleListFilter):
    """Not shown to whoever sees one tenant only. The page's own scope holds beside it."""

    title = "tenant"
    parameter_name = "tenant"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        assert isinstance(model_admin, ScopedAdmin)
        person = staff_of(request)
        mine = person.narrow(Tenant.objects.all(), model_admin.view_role, "pk").order_by("slug")
        offered = [(slug, slug) for slug in mine.values_list("slug", flat=True)[:_OFFERED]]
        if person.everywhere and model_admin.model._meta.get_field("tenant").null:
            offered.append((_PLATFORM, "the platform's"))
        return offered if len(offered) > 1 else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        slug = self.value()
        if slug is None:
            return queryset
        if slug == _PLATFORM:
            return queryset.filter(tenant=None)
        tenant = Tenant.objects.filter(slug=slug).first()
        return queryset.filter(tenant=tenant) if tenant else queryset.none()
