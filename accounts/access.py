"""What one request may reach: the one place where rows are scoped by tenant and owner.

The platform's own rows are in reach of no request, not of one that reads for all tenants either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Model, QuerySet

from accounts import tenants
from accounts.models import Tenant
from accounts.principal import Principal
from accounts.scopes import Scope

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, kw_only=True)
class Access:
    """A principal that acts for one tenant, or (reading only) for all: then `tenant` is None."""

    principal: Principal
    tenant: Tenant | None

    def narrow(self, rows: QuerySet[M]) -> QuerySet[M]:
        """Those of `rows`, a model with `tenant` and `owner`, that this request may see."""
        if self.tenant is not None:
            rows = rows.filter(tenant=self.tenant)
        else:
            rows = rows.exclude(tenant__in=tenants.platform_ids())
        if self.principal.owner:
            rows = rows.filter(owner=self.principal.owner)
        return rows

    def may(self, scope: Scope) -> bool:
        return scope in self.principal.scopes

    @property
    def one_tenant(self) -> Tenant:
        """The tenant that a write belongs to; no request that writes acts for all."""
        assert self.tenant is not None
        return self.tenant
