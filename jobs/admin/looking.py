"""Whose figures a page shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest

from accounts.models import Tenant
from accounts.roles import Role
from accounts.staff import staff_of
from jobs.stats import ALL_THERE_ARE, EVERYBODYS, Whose

MOST_TENANTS = 100  # offered in a selection


@dataclass(frozen=True, kw_only=True)
class Choice:
    """`value` in the address; the empty one is what is shown without any."""

    name: str
    value: str
    url: str
    chosen: bool


def tenants_of(request: HttpRequest) -> list[Tenant]:
    """Those whose jobs this person may see, by slug."""
    mine = staff_of(request).narrow(Tenant.objects.order_by("slug"), Role.VIEWER, "pk")
    return list(mine[:MOST_TENANTS])


def tenant_of(request: HttpRequest) -> Tenant | None:
    """The one that `?tenant=` asks for, if this person may see it; without it none, which is all
    (a platform admin), or the first of the person's own."""
    offered = tenants_of(request)
    asked = request.GET.get("tenant", "")
    tenant = next((one for one in offered if one.slug == asked), None)
    if tenant is not None or staff_of(request).everywhere:
        return tenant
    return offered[0]


def whose_of(request: HttpRequest) -> Whose:
    tenant = tenant_of(request)
    return Whose(tenant=tenant.pk) if tenant else EVERYBODYS


def whose_with_ours(request: HttpRequest) -> Whose:
    """The same; who looks at all tenants looks after the platform's own jobs as well."""
    whose = whose_of(request)
    return ALL_THERE_ARE if whose == EVERYBODYS else whose


def tenant_choices(request: HttpRequest, chosen: Tenant | None) -> Sequence[Choice]:
    everybody = [("All tenants", "")] if staff_of(request).everywhere else []
    offered = everybody + [(one.slug, one.slug) for one in tenants_of(request)]
    return [
        choice(request, "tenant", name, slug, slug == (chosen.slug if chosen else ""))
        for name, slug in offered
    ]


def choice(request: HttpRequest, field: str, name: str, value: str, chosen: bool) -> Choice:
    """Of one field of the address; the others stay as they are."""
    query = request.GET.copy()
    query[field] = value
    return Choice(name=name, value=value, url=f"?{query.urlencode()}", chosen=chosen)
