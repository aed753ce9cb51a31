"""In which windows a caller's calls count. No header that a client can set has a say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import Tenant
from accounts.principal import Kind, Principal
from accounts.rate import Rate
from accounts.rate_limits.rates import PLATFORM, CallKind, tenant_rate, token_rate


@dataclass(frozen=True, kw_only=True)
class Window:
    """At most `rate` calls of all that share the key."""

    key: str
    rate: Rate


def windows_of(principal: Principal, kind: CallKind) -> Sequence[Window]:
    """The stricter first, so that what it refuses is not taken from the others.

    A tenant's calls share one window, whichever of its tokens and people they come from. A token
    has one of its own where its rate allows less than the tenant's. Who has no tenant counts alone.
    """
    if principal.tenant is None:
        return [_alone(principal, kind)]
    return [*_of_token(principal, principal.tenant, kind), _of_tenant(principal.tenant, kind)]


def windows_of_tenant(tenant: Tenant, kind: CallKind) -> Sequence[Window]:
    """Where it is known for whom a call is, and not who calls."""
    return [_of_tenant(tenant, kind)]


def _of_tenant(tenant: Tenant, kind: CallKind) -> Window:
    rate = tenant_rate(kind, tenant.plan_name)
    return Window(key=_key(kind, rate, "tenant", tenant.pk), rate=rate)


def _of_token(principal: Principal, tenant: Tenant, kind: CallKind) -> Sequence[Window]:
    rate = token_rate(kind, tenant.plan_name) if principal.kind == Kind.TOKEN else None
    if rate is None or _includes(tenant_rate(kind, tenant.plan_name), rate):
        return []
    return [Window(key=_key(kind, rate, "token", principal.token_id), rate=rate)]


def _alone(principal: Principal, kind: CallKind) -> Window:
    """Of a platform admin, or of a person who has yet to say for which tenant."""
    plan = "" if principal.is_undecided else PLATFORM
    own = token_rate(kind, plan) if principal.kind == Kind.PLATFORM else None
    rate = own or tenant_rate(kind, plan)
    whose = principal.token_id or principal.name
    return Window(key=_key(kind, rate, principal.kind, whose), rate=rate)


def _includes(outer: Rate, inner: Rate) -> bool:
    """Whether who keeps to `outer` keeps to `inner` as well."""
    stretches = -(-inner.seconds // outer.seconds)
    return stretches * outer.starts <= inner.starts


def _key(kind: CallKind, rate: Rate, *whose: object) -> str:
    """With the length of the window: hits are only kept for as long."""
    return ":".join(map(str, (kind, rate.seconds, *whose)))
