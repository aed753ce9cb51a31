"""Tenants: made and changed, each time with an audit entry. There is no way to remove one."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts import audit
from accounts.models import Tenant


def create(*, slug: str, name: str, plan_name: str, by: str, address: str | None = None) -> Tenant:
    """A new tenant. Raises IntegrityError for a slug in use: check before."""
    with transaction.atomic():
        tenant = Tenant.objects.create(slug=slug, name=name, plan_name=plan_name)
        _record("tenant.create", tenant, by, address, after=_told(tenant))
    return tenant


def change(
    tenant: Tenant, *, name: str, plan_name: str, by: str, address: str | None = None
) -> Tenant:
    """Another name or plan; the slug names the tenant in requests and stays. Without a
    difference nothing is written."""
    with transaction.atomic():
        known = Tenant.objects.select_for_update().get(pk=tenant.pk)
        before = _told(known)
        known.name, known.plan_name = name, plan_name
        if _told(known) != before:
            known.save(update_fields=["name", "plan_name"])
            _record("tenant.change", known, by, address, before=before, after=_told(known))
    return known


def _record(action: str, tenant: Tenant, by: str, address: str | None, **sides: Any) -> None:
    audit.record(
        actor=by,
        action=action,
        object_type="tenant",
        object_id=tenant.slug,
        tenant=tenant,
        address=address,
        **sides,
    )


def _told(tenant: Tenant) -> dict[str, Any]:
    return {"name": tenant.name, "plan": tenant.plan_name}
