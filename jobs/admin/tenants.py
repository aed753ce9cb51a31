"""For which tenant a person makes something here."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from accounts.models import Tenant
from accounts.roles import Role
from accounts.staff import staff_of

MOST = 200  # offered; any other by its slug in the address


def offered(request: HttpRequest) -> Sequence[Tenant]:
    return list(_mine(request)[:MOST])


def chosen(request: HttpRequest) -> Tenant:
    """The one that the form or the address names; without any, the first. Raises Http404."""
    asked = request.POST.get("tenant") or request.GET.get("tenant", "")
    if "\0" in asked:
        raise Http404
    rows = _mine(request)
    found = (rows.filter(slug=asked) if asked else rows).first()
    if found is None:
        raise Http404
    return found


def _mine(request: HttpRequest) -> QuerySet[Tenant]:
    return staff_of(request).narrow(Tenant.objects.order_by("slug"), Role.OPERATOR, "pk")
