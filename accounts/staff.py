"""What a signed-in person may reach: the one place that turns roles into an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.models import Membership
from accounts.roles import Role
from accounts.scopes import EVERY_SCOPE, Scope

M = TypeVar("M", bound=Model)
_ON_REQUEST = "_celeriac_staff"


@dataclass(frozen=True, kw_only=True)
class Staff:
    """A person. `everywhere`: a platform admin, who holds every role in every tenant.

    `roles` maps the primary key of a tenant to the role held there.
    """

    username: str
    everywhere: bool = False
    roles: Mapping[int, Role] = field(default_factory=dict)

    def may(self, role: Role, tenant_id: int | None) -> bool:
        """Whether this person holds `role` in the tenant; None is the platform itself."""
        held = None if tenant_id is None else self.roles.get(tenant_id)
        return self.everywhere or (held is not None and held.holds(role))

    def may_somewhere(self, role: Role) -> bool:
        return self.everywhere or any(held.holds(role) for held in self.roles.values())

    def tenants(self, role: Role) -> frozenset[int] | None:
        """Where this person holds `role`; None is everywhere."""
        if self.everywhere:
            return None
        return frozenset(tenant for tenant, held in self.roles.items() if held.holds(role))

    def narrow(self, rows: QuerySet[M], role: Role, path: str = "tenant") -> QuerySet[M]:
        """Those of `rows` whose tenant, at `path`, is one where this person holds `role`."""
        tenants = self.tenants(role)
        return rows if tenants is None else rows.filter(**{f"{path}__in": tenants})

    def scopes(self, tenant_id: int | None) -> frozenset[Scope]:
        """What this person may do there, and so the most that a token of his making holds."""
        if self.everywhere:
            return EVERY_SCOPE
        held = None if tenant_id is None else self.roles.get(tenant_id)
        return frozenset() if held is None else held.scopes

    @property
    def actor(self) -> str:
        """How `created_by`, `cancelled_by` and the audit trail name this person."""
        return f"user:{self.username}"


def staff_of(request: HttpRequest) -> Staff:
    """The person who sends this request; asked of the database once."""
    known: Staff | None = getattr(request, _ON_REQUEST, None)
    if known is None:
        known = staff(request.user)
        setattr(request, _ON_REQUEST, known)
    return known


def staff(user: AbstractBaseUser | AnonymousUser) -> Staff:
    """Nobody may anything who is not active or not of the staff."""
    if not user.is_active or not getattr(user, "is_staff", False):
        return Staff(username=user.get_username())
    if getattr(user, "is_superuser", False):
        return Staff(username=user.get_username(), everywhere=True)
    held = Membership.objects.filter(user_id=user.pk).values_list("tenant_id", "role")
    return Staff(username=user.get_username(), roles={tenant: Role(role) for tenant, role in held})
