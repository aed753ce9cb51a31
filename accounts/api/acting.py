"""For which tenant a request acts: the rules of the header X-Tenant."""

from __future__ import annotations

from django.http import HttpHeaders
from rest_framework.exceptions import NotFound, PermissionDenied

from accounts.access import Access
from accounts.api.refusals import FieldRefusal, Unprocessable
from accounts.models import DEFAULT_TENANT, Tenant
from accounts.principal import Principal

ALL_TENANTS = "*"


def require_decided(principal: Principal, headers: HttpHeaders) -> None:
    """Raises Unprocessable for a member of several tenants who names none of them."""
    if principal.is_undecided and "X-Tenant" not in headers:
        problem = "you are a member of several tenants: name one, by its slug, in this header"
        raise Unprocessable([FieldRefusal("/X-Tenant", problem)])


def access_of(principal: Principal, headers: HttpHeaders, *, reading: bool) -> Access:
    """Raises NotFound, PermissionDenied or Unprocessable for a header that may not be sent."""
    asked = headers.get("X-Tenant")
    if principal.tenant is not None:
        if asked not in (None, principal.tenant.slug):
            raise PermissionDenied("This token belongs to another tenant.")
        return Access(principal=principal, tenant=principal.tenant)
    if principal.is_undecided:
        if asked is not None:
            raise PermissionDenied("You are no member of this tenant.")
        return Access(principal=principal, tenant=None)  # without a scope it reaches nothing
    if asked == ALL_TENANTS:
        if not reading:
            raise Unprocessable([FieldRefusal("/X-Tenant", "only reading may name all tenants")])
        return Access(principal=principal, tenant=None)
    return Access(principal=principal, tenant=_tenant(DEFAULT_TENANT if asked is None else asked))


def _tenant(slug: str) -> Tenant:
    tenant = None if "\x00" in slug else Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise NotFound("No such tenant.")
    return tenant
