"""Whose jobs a figure is about. Nobody's figures have the platform's own jobs in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from jobs import registry

# Raw SQL of many figures names them: the keys of the platform's own tenants.
OURS = "(SELECT id FROM accounts_tenant WHERE works_for_id IS NOT NULL)"


@dataclass(frozen=True, kw_only=True)
class Whose:
    """Jobs of one tenant (by its key) or of all, of one owner or of any. `with_ours`: beside those
    of all tenants the platform's own, for who looks after it."""

    tenant: int | None = None
    owner: str = ""
    with_ours: bool = False

    @property
    def of_tenant(self) -> str:
        """SQL that keeps a tenant."""
        if self.tenant is not None:
            return "tenant.id = %(tenant)s"
        return "true" if self.with_ours else "tenant.works_for_id IS NULL"

    @property
    def of_job(self) -> str:
        """SQL that keeps a job, which it costs next to nothing to look at."""
        if self.tenant is not None:
            return "job.tenant_id = %(tenant)s"
        return "true" if self.with_ours else f"job.tenant_id NOT IN {OURS}"

    @property
    def condition(self) -> Q:
        """The same for the planner, which knows how many jobs there are in a queue: those of the
        platform's own are known by theirs."""
        of = Q(owner=self.owner) if self.owner else Q()
        if self.tenant is not None:
            return of & Q(tenant=self.tenant)
        internal = set() if self.with_ours else registry.internal_queues()
        return of & ~Q(queue__in=sorted(internal)) if internal else of

    @property
    def of_owner(self) -> str:
        """SQL that keeps a job of the owner; the second half lets the planner take the index of
        jobs that have one."""
        return "AND job.owner = %(owner)s AND job.owner <> ''" if self.owner else ""

    @property
    def parameters(self) -> dict[str, Any]:
        return {"tenant": self.tenant, "owner": self.owner}


EVERYBODYS = Whose()
ALL_THERE_ARE = Whose(with_ours=True)
